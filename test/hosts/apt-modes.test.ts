import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIRROR_URL } from '../../apps/local/hosts/fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { OrderTerms } from '../../core/order.ts';
import { readSections } from '../../core/result.ts';
import { type Selection, selectionSchema } from '../../core/selection.ts';
import { type AptFleet, createAptFleet, plain, version } from './apt-fleet.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;
let campaigns = 0;
const updates = [
  plain('tool', '1.1-1', { depends: 'libtool9 (>= 1.1)', installedSize: 300 }),
  plain('libtool9', '1.1-1'),
  plain('bystander', '1.1-1'),
  plain('held', '1.1-1'),
];

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['modes'],
    installed: ['tool', 'libtool9', 'bystander', 'held'].map((name) =>
      plain(name, '1.0-1', { installedSize: 100 }),
    ),
    automatic: ['libtool9'],
  });
  await shell(fleet.host('modes'), 'apt-mark hold held');
});

afterAll(() => fleet?.close());

const terms = (selection: Partial<Selection> | object): OrderTerms => ({
  never: [],
  selection: selectionSchema.parse(selection),
});

const prepare = (more: Parameters<AptFleet['prepare']>[1] = {}) => {
  campaigns += 1;
  return fleet.prepare(fleet.host('modes'), { campaign: `2027-q1-modes-${campaigns}`, ...more });
};

describe('named packages', () => {
  it('come with what they need and nothing else, by their own versions, with marks and holds kept', async () => {
    const host = fleet.host('modes');
    const trial = {
      campaign: '2027-q1-named',
      terms: terms({ mode: 'packages', names: ['tool', 'held', 'absent'] }),
      parameters: { Mode: 'packages' },
    };
    await fleet.whilePublished('stable', updates, async () => {
      const { run, plan } = await prepare(trial);
      expect(plan.map(({ action, name, to }) => `${action} ${name} ${to}`)).toEqual([
        'upgrade libtool9 1.1-1',
        'upgrade tool 1.1-1',
      ]);
      expect(run.summary.warnings).toEqual([{ code: 'kept-back', detail: expect.stringMatching(/: held$/) }]);
      expect(run.summary.found.held).toBe(1);
      const { totals, holds } = readSections(run.sections);
      expect(totals).toEqual({
        download: plan.reduce((bytes, { size }) => bytes + size, 0),
        installed: (300 - 100 + 2 - 100) * 1024,
      });
      expect(holds).toEqual(['held']);
      expect((await fleet.run(host, 'patch', { ...trial, plan })).summary.result).toBe('patched');
    });
    expect(await version(host, 'libtool9')).toBe('1.1-1 ii');
    expect(await version(host, 'bystander')).toBe('1.0-1 ii');
    expect((await shell(host, 'apt-mark showauto')).stdout).toBe('libtool9\n');
  });

  it('that are not on the server are nothing to do, and never an update of everything', async () => {
    await fleet.whilePublished('stable', updates, async () => {
      const { run, plan } = await prepare({
        terms: terms({ mode: 'packages', names: ['absent'] }),
        parameters: { Mode: 'packages' },
      });
      expect(plan).toEqual([]);
      expect(run.summary).toMatchObject({ code: 2, result: 'nothing-to-do' });
    });
  });

  it.each(['advisories', 'groups'] as const)('%s are unsupported, which is said', async (mode) => {
    const { run } = await prepare({
      terms: terms({ mode, names: ['CVE-2026-0001'] }),
      parameters: { Mode: mode },
    });
    expect(run.summary).toMatchObject({
      code: 107,
      result: 'unsupported',
      reasons: [{ code: 'mode-unsupported', detail: expect.stringContaining(`'${mode}'`) }],
    });
  });
});

describe('repositories', () => {
  const withSources = async (
    sources: Readonly<Record<string, string>>,
    work: (host: Host) => Promise<void>,
  ) => {
    const host = fleet.host('modes');
    const before = (await host.readFile('/etc/apt/sources.list')) ?? '';
    const signed = /\[(.*)\]/.exec(before)?.[1] ?? '';
    for (const [name, text] of Object.entries(sources))
      await host.writeFile(
        `/etc/apt/${name}`,
        text.replaceAll('SIGNED', signed).replaceAll('KEY', signed.replace('signed-by=', 'Signed-By: ')),
        0o644,
      );
    try {
      await work(host);
    } finally {
      await shell(host, 'rm -rf /etc/apt/sources.list.d/*');
      await host.writeFile('/etc/apt/sources.list', before, 0o644);
    }
  };
  const repositories = (enable: readonly string[], disable: readonly string[]) =>
    terms({ repositories: { enable, disable } });
  const names = async (enable: readonly string[], disable: readonly string[]) =>
    (await prepare({ terms: repositories(enable, disable) })).plan.map(({ name }) => name);

  it('are left out by suite or file, also where they do not answer, and turned on in the copies of a campaign', async () => {
    const sources = {
      'sources.list': `deb [SIGNED] ${MIRROR_URL}/ trixie main\n`,
      'sources.list.d/gone.list': `deb [SIGNED] ${MIRROR_URL}/ gone main\n`,
      'sources.list.d/extra.sources': `# Off\nTypes: deb\nURIs: ${MIRROR_URL}/\nSuites: missing\n trixie-security\nComponents: main\nEnabled: no\nKEY\n`,
    };
    const security = [plain('bystander', '1.0-1+deb13u1')];
    await fleet.whilePublished('stable', [plain('libtool9', '1.2-1')], () =>
      fleet.whilePublished('stable-security', security, () =>
        withSources(sources, async (host) => {
          const broken = await prepare();
          expect(broken.run.summary).toMatchObject({
            code: 103,
            result: 'blocked',
            reasons: [{ code: 'repository-unreachable' }],
          });
          expect(await names([], ['gone'])).toEqual(['libtool9']);
          expect(await names(['trixie-sec*'], ['gone'])).toEqual(['bystander', 'libtool9']);
          expect(await names(['extra'], ['gone', 'missing', 'trixie'])).toEqual(['bystander']);
          const { run } = await prepare({ terms: repositories(['nowhere'], ['gone']) });
          expect(run.summary).toMatchObject({
            code: 107,
            result: 'unsupported',
            reasons: [{ code: 'mode-unsupported', detail: 'no source of apt has a repository nowhere' }],
          });
          const all = await prepare({ terms: repositories([], ['*']) });
          expect(all.run.summary).toMatchObject({ code: 103, reasons: [{ code: 'no-repositories' }] });
          expect(await host.readFile('/etc/apt/sources.list.d/extra.sources')).toContain('Enabled: no');
        }),
      ),
    );
  });

  it('on the server itself may be gone when it is time', async () => {
    await fleet.whilePublished('stable', [plain('libtool9', '1.3-1')], () =>
      withSources({ 'sources.list': 'deb [SIGNED] file:/srv/mirror trixie main\n' }, async (host) => {
        const copied = await shell(
          host,
          `set -e
          index=dists/trixie/main/binary-$(dpkg --print-architecture)
          mkdir -p /srv/mirror/$index /srv/mirror/pool/stable
          cd /srv/mirror
          for file in dists/trixie/InRelease $index/Packages pool/stable/libtool9_1.3-1_all.deb; do
            curl -fsS -o $file ${MIRROR_URL}/$file
          done`,
        );
        expect(copied, copied.stderr).toMatchObject({ code: 0 });
        const campaign = '2027-q1-local';
        const { plan } = await prepare({ campaign });
        await shell(host, 'rm -rf /srv/mirror');
        expect((await fleet.run(host, 'patch', { campaign, plan })).summary).toMatchObject({
          result: 'patched',
          reasons: [],
        });
        expect(await version(host, 'libtool9')).toBe('1.3-1 ii');
      }),
    );
  });
});

describe('a reboot is needed', () => {
  const pending = () => fleet.whilePublished('stable', updates, async () => (await prepare()).run.summary);

  it.each([
    ['needrestart knows of another kernel', 'needrestart says'],
    ['the modules of the running kernel are gone', 'the modules of the running kernel'],
  ])('when %s', async (sign, why) => {
    const host = fleet.host('modes');
    expect((await pending()).facts.rebootPending).toBe(false);
    if (sign.startsWith('needrestart'))
      await host.writeFile('/usr/bin/needrestart', '#!/bin/sh\necho NEEDRESTART-KSTA: 3\n', 0o755);
    else await shell(host, 'mkdir -p /lib/modules/1.0');
    expect(await pending()).toMatchObject({
      facts: { rebootPending: true },
      warnings: expect.arrayContaining([{ code: 'reboot-needed', detail: expect.stringContaining(why) }]),
    });
    await shell(host, 'rm -rf /usr/bin/needrestart /lib/modules');
  });
});
