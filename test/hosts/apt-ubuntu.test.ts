import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIRROR_URL } from '../../apps/local/hosts/fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { createRepository, type Pockets, type Repository } from '../../apps/local/hosts/repository.ts';
import { readSections } from '../../core/result.ts';
import { type AptFleet, createAptFleet, plain, version } from './apt-fleet.ts';
import { shell } from './observe.ts';

/** Names as the archives of Ubuntu and its ESM have them. */
const pockets = (release: string): Readonly<Record<'ubuntu' | 'esm', Pockets>> => {
  const ubuntu = { origin: 'Ubuntu', label: 'Ubuntu', codename: release };
  const esm = { origin: 'UbuntuESM', label: 'UbuntuESM', codename: release };
  const named = (suite: string) => ({ path: suite, suite });
  return {
    ubuntu: {
      stable: { ...ubuntu, ...named(`${release}-updates`) },
      'stable-security': { ...ubuntu, ...named(`${release}-security`) },
    },
    esm: {
      stable: { ...esm, ...named(`${release}-infra-updates`) },
      'stable-security': { ...esm, ...named(`${release}-infra-security`) },
    },
  };
};

let fleet: AptFleet;
let host: Host;
let folder: string;
let archive: Repository;
let esm: Repository;
const KEYRING = '/usr/share/keyrings/ubuntu-archive-keyring.gpg';
const source = (suite: string) => `deb [signed-by=${KEYRING}] ${MIRROR_URL}/ ${suite} main\n`;
const archives = source('jammy-updates') + source('jammy-security');

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['jammy'],
    installed: ['tool', 'bystander', 'phased'].map((name) => plain(name, '1.0-1')),
  });
  host = fleet.host('jammy');
  const now = () => new Date();
  const key = createSigningKey('Ubuntu archive', now());
  folder = await mkdtemp(join(tmpdir(), 'ubuntu-'));
  const of = (name: 'ubuntu' | 'esm') =>
    createRepository({ folder, key, now, pockets: pockets('jammy')[name] });
  archive = await of('ubuntu');
  esm = await of('esm');
  fleet.sandbox.serveRepository(host.id, archive.listener);
  await host.writeFile('/tmp/key', key.keyring.toString('base64'), 0o644);
  await shell(host, `base64 -d /tmp/key >${KEYRING}; rm /etc/os-release`);
});

afterAll(async () => {
  await fleet?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const release = (version: string) =>
  host.writeFile(
    '/etc/os-release',
    `ID=ubuntu\nID_LIKE=debian\nVERSION_ID="${version}"\nUBUNTU_CODENAME=jammy\n`,
    0o644,
  );

describe('Ubuntu', () => {
  it('knows its security pocket and that of ESM, and takes phased updates for a whole campaign', async () => {
    await release('22.04');
    await archive.publish('stable', [
      plain('tool', '1.9-1'),
      plain('bystander', '1.1-1'),
      plain('phased', '1.1-1', { phased: 0 }),
    ]);
    await archive.publish('stable-security', [plain('tool', '1.0-1ubuntu0.1')]);
    await esm.publish('stable-security', [plain('bystander', '1.0-1ubuntu0.1~esm1')]);
    await host.writeFile('/etc/apt/sources.list', archives + source('jammy-infra-security'), 0o644);
    const all = await fleet.prepare(host, { campaign: '2027-q1-ubuntu-all' });
    expect(all.plan.map(({ name, to, security }) => [name, to, security])).toEqual([
      ['bystander', '1.1-1', false],
      ['phased', '1.1-1', false],
      ['tool', '1.9-1', false],
    ]);
    const trial = { campaign: '2027-q1-ubuntu', parameters: { Mode: 'security' } };
    const { plan } = await fleet.prepare(host, trial);
    expect(plan.map(({ name, to, repository, security }) => [name, to, repository, security])).toEqual([
      ['bystander', '1.0-1ubuntu0.1~esm1', 'UbuntuESM:jammy-infra-security', true],
      ['tool', '1.0-1ubuntu0.1', 'Ubuntu:jammy-security', true],
    ]);
    const { summary } = await fleet.run(host, 'patch', { ...trial, plan });
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { compliant: true },
      system: { id: 'ubuntu' },
    });
    expect(await version(host, 'tool')).toBe('1.0-1ubuntu0.1 ii');
  });

  it('tells which updates come with Ubuntu Pro alone, and that the agent is a snap', async () => {
    await release('22.04');
    await host.writeFile('/etc/apt/sources.list', archives + source('jammy-infra-security'), 0o644);
    await archive.publish('stable', [plain('bystander', '1.2-1')]);
    const seen = async (campaign: string) => {
      const { run } = await fleet.prepare(host, { campaign });
      return { summary: run.summary, pro: readSections(run.sections).pro };
    };
    // Ubuntu is not to be had: stand-ins answer as ubuntu-pro-client and snapd do.
    expect((await seen('2027-q1-without-client')).pro).toEqual({
      attached: null,
      services: [],
      pockets: ['jammy-infra-security'],
      updates: null,
    });
    const statusOf = (status: string) => ({ package: 'bystander', service_name: 'esm-apps', status });
    const answer = {
      _schema_version: '0.1',
      packages: ['upgrade_available', 'pending_attach', 'pending_enable'].map(statusOf),
      summary: { ua: { attached: true, enabled_services: ['esm-infra', 'livepatch'] } },
    };
    const client = (text: string) => host.writeFile('/usr/bin/pro', `#!/bin/sh\n${text}\n`, 0o755);
    await client(`[ "$*" = 'security-status --format json' ] && echo '${JSON.stringify(answer, null, 2)}'`);
    await host.writeFile(
      '/usr/bin/snap',
      `#!/bin/sh\n[ "$*" = 'list amazon-ssm-agent' ] && printf 'Name Version Rev Tracking Publisher Notes\\namazon-ssm-agent 3.3.3050.0 11797 latest/stable aws classic\\n'\n`,
      0o755,
    );
    await shell(host, 'mkdir -p /var/lib/snapd/snaps');
    const attached = await seen('2027-q1-attached');
    expect(attached.pro).toMatchObject({ attached: true, services: ['esm-infra', 'livepatch'], updates: 2 });
    expect(attached.summary.found.proUpdates).toBe(2);
    expect(attached.summary.warnings).toEqual(
      expect.arrayContaining([
        {
          code: 'pro-updates',
          detail: expect.stringMatching(/^2 .*attached: yes, services: esm-infra,livepatch/),
        },
        {
          code: 'snap-refresh',
          detail: expect.stringContaining('amazon-ssm-agent 3.3.3050.0 (latest/stable)'),
        },
      ]),
    );
    // What it does not say is unknown, and no reason for no plan.
    await client('echo "Traceback"; exit 1');
    const failing = await seen('2027-q1-failing-client');
    expect(failing.pro).toMatchObject({ attached: null, updates: null });
    expect(failing.summary).toMatchObject({ result: 'planned', found: { proUpdates: null } });
    await shell(host, 'rm -r /usr/bin/pro /usr/bin/snap /var/lib/snapd');
  });

  it('is past its end without ESM, as what derives from it is, and not with it', async () => {
    await release('18.04');
    const compliant = async (sources: string, campaign: string) => {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
      return (await fleet.prepare(host, { campaign })).run.summary;
    };
    const derived = 'ID=linuxmint\nID_LIKE=\'ubuntu debian\'\nVERSION_ID="19.3"\nUBUNTU_CODENAME=bionic\n';
    const ubuntu = (await host.readFile('/etc/os-release')) ?? '';
    await host.writeFile('/etc/os-release', derived, 0o644);
    expect((await compliant(archives, '2027-q1-derived')).warnings).toContainEqual(
      expect.objectContaining({ code: 'release-end-of-life' }),
    );
    await host.writeFile('/etc/os-release', ubuntu, 0o644);
    const without = await compliant(archives, '2027-q1-ended');
    expect(without.facts.compliant).toBe(false);
    expect(without.warnings).toContainEqual(expect.objectContaining({ code: 'release-end-of-life' }));
    const subscribed = await compliant(archives + source('jammy-infra-security'), '2027-q1-subscribed');
    expect(subscribed.warnings.map(({ code }) => code)).not.toContain('release-end-of-life');
  });
});
