import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRepository } from '../../apps/local/hosts/families/family-repository.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';
import { createZypperFleet, versions } from './zypper-fleet.ts';

const hosts = { back: 'leap-15', again: 'leap-15', altered: 'leap-15', fetched: 'leap-15' } as const;
const before = [
  plain('tool', '1.0', {
    epoch: 1,
    requires: ['libtool9'],
    files: {
      '/etc/tool.conf': { content: 'a=1\n', config: true },
      '/usr/share/tool/part': { content: 'one\n' },
    },
  }),
  // An epoch of 0 that is written out is the same as none.
  plain('libtool9', '1.0', { epoch: 0 }),
  plain('old-half', '1.0'),
];
const updates = [
  plain('tool', '1.1', { epoch: 1, requires: ['libtool9', 'new-part'] }),
  plain('libtool9', '1.1'),
  plain('new-part', '1.0', { obsoletes: ['old-half'] }),
];

let families: TrialFamilies;
let repository: FamilyRepository;

beforeAll(async () => {
  families = await createZypperFleet({ hosts, installed: before });
  repository = families.fleet.repository('leap-15');
  await repository.publish('main', before);
  // The signed index vouches for it.
  await repository.publish('main', [plain('libtool9', '1.0', { epoch: 0 })], { packageKey: null });
});
afterAll(() => families?.close());

const files = async (host: Host) =>
  (
    await shell(
      host,
      'find /usr/share/tool /usr/share/libtool9 /usr/share/old-half /etc/tool* -type f | xargs sha256sum',
    )
  ).stdout;

/** Prepares, patches and verifies while the repository has the versions before beside the updates. */
const patched = async (host: Host, parameters: Readonly<Record<string, string>> = {}) =>
  families.whilePublished('leap-15', updates, async () => {
    const prepared = await families.prepare(host, { parameters: { Removals: 'allow', ...parameters } });
    expect((await families.run(host, 'patch', { plan: prepared.plan })).summary.result).toBe('patched');
    expect((await families.run(host, 'verify', { plan: prepared.plan })).summary.result).toBe('verified');
    return prepared;
  });

/** zypper that ends with 103 where it first changes something, as it does when it was updated itself. */
const updatesItself = `#!/bin/bash
/usr/bin/zypper.real "$@"
code=$?
[[ " $* " == *' install '* && " $* " != *' --dry-run '* && " $* " != *' --download-only '* ]] || exit $code
echo "$code" >>/root/changes
[[ $(wc -l </root/changes) -gt 1 ]] || exit 103
exit $code
`;

describe('a rollback on zypper', () => {
  it('brings back versions, files, what was replaced and marks, from kept files alone', async () => {
    const host = families.host('back');
    await shell(host, "zypper -n ref; printf 'libtool9\\n' >/var/lib/zypp/AutoInstalled");
    const [filesBefore, versionsBefore] = [await files(host), await versions(host)];
    const { run, plan } = await patched(host);
    expect(plan.map(({ action, name, rollback }) => [action, name, rollback])).toEqual([
      ['install', 'new-part', null],
      ['replace', 'old-half', 'kept'],
      ['upgrade', 'libtool9', 'kept'],
      ['upgrade', 'tool', 'kept'],
    ]);
    expect(run.summary.found).toMatchObject({ rollbackKept: 3, rollbackRepository: 0, rollbackNone: 0 });
    expect(await versions(host)).not.toEqual(versionsBefore);
    families.fleet.serveRepository(host.id, (_request, response) => void response.writeHead(404).end());
    const back = await families.run(host, 'rollback', { plan });
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { installed: false },
    });
    expect(await versions(host)).toEqual(versionsBefore);
    expect(await files(host)).toBe(filesBefore);
    expect((await shell(host, 'grep -v "^#" /var/lib/zypp/AutoInstalled; rpm -Va --nomtime')).stdout).toBe(
      'libtool9\n',
    );
  });

  it('asks zypper again where it was updated itself', async () => {
    const host = families.host('again');
    const there = await versions(host);
    const { plan } = await patched(host);
    await shell(host, 'mv /usr/bin/zypper /usr/bin/zypper.real');
    await host.writeFile('/usr/bin/zypper', updatesItself, 0o755);
    const { summary } = await families.run(host, 'rollback', { plan });
    expect(summary).toMatchObject({ code: 0, result: 'rolled-back', reasons: [] });
    expect(await host.readFile('/root/changes')).toBe('0\n0\n');
    expect(await versions(host)).toEqual(there);
  });

  it('touches nothing when a kept file is not what was sealed', async () => {
    const host = families.host('altered');
    const { plan } = await patched(host);
    await shell(host, 'for rpm in /var/lib/quarterdeck/*/old/tool-*.rpm; do printf x >>$rpm; done');
    const { summary } = await families.run(host, 'rollback', { plan });
    expect(summary).toMatchObject({ code: 106, result: 'drifted', reasons: [{ code: 'file-altered' }] });
    expect(await versions(host, 'tool')).toEqual({ tool: '1.1-1' });
  });

  it('fetches what was not kept while repositories have it, and is refused as a whole when they have not', async () => {
    const host = families.host('fetched');
    const { plan } = await patched(host, { KeepPackages: 'none' });
    expect(plan.map(({ rollback }) => rollback)).toEqual([null, 'repository', 'repository', 'repository']);
    const [tool] = before;
    await repository.withdraw('main', 'tool', '1:1.0-1');
    const refused = await families.run(host, 'rollback', { plan });
    expect(refused.summary).toMatchObject({
      code: 107,
      result: 'refused',
      reasons: [{ code: 'not-covered', detail: 'no file of the version before: tool' }],
    });
    expect(await versions(host, 'tool', 'new-part')).toEqual({ tool: '1.1-1', 'new-part': '1.0-1' });
    if (tool) await repository.publish('main', [tool]);
    await shell(
      host,
      `rm -f /var/lib/quarterdeck/*/state/rollback*
      for old in /var/lib/quarterdeck/*/zypp/old; do for n in $(seq 30); do echo torn >$old/$n.rpm; done; done`,
    );
    const back = await families.run(host, 'rollback', { plan });
    expect(back.summary).toMatchObject({ code: 0, result: 'rolled-back' });
    expect(await versions(host, 'tool', 'libtool9', 'old-half', 'new-part')).toEqual({
      tool: '1.0-1',
      libtool9: '1.0-1',
      'old-half': '1.0-1',
    });
  });
});
