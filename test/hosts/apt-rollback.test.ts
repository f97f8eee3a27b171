import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type AptFleet, createAptFleet, plain, version } from './apt-fleet.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;
const before = [plain('tool', '1.0-1', { depends: 'libtool9' }), plain('libtool9', '1.0-1')];
const updates = [
  plain('tool', '1.1-1', { depends: 'libtool9, new-part' }),
  plain('libtool9', '1.1-1'),
  plain('new-part', '1.0-1'),
];

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['back', 'altered', 'uncovered'],
    installed: before,
    automatic: ['libtool9'],
  });
});

afterAll(() => fleet?.close());

/** Prepares and patches while the repository has both the versions before and the updates. */
const patched = async (host: Host, parameters: Readonly<Record<string, string>> = {}) => {
  await fleet.sandbox.repository.publish('stable', before);
  const { run, plan } = await fleet.whilePublished('stable', updates, async () => {
    const prepared = await fleet.prepare(host, { parameters });
    expect((await fleet.run(host, 'patch', { plan: prepared.plan })).summary.result).toBe('patched');
    return prepared;
  });
  for (const { name, version: old } of before) await fleet.sandbox.repository.withdraw('stable', name, old);
  return { run, plan };
};

describe('a rollback', () => {
  it('brings back the versions before from files that were kept, removes what came, and leaves marks alone', async () => {
    const host = fleet.host('back');
    const { run, plan } = await patched(host);
    expect(plan.map(({ name, rollback }) => [name, rollback])).toEqual([
      ['new-part', null],
      ['libtool9', 'kept'],
      ['tool', 'kept'],
    ]);
    expect(run.summary.found).toMatchObject({ rollbackKept: 2, rollbackRepository: 0, rollbackNone: 0 });
    expect((await fleet.run(host, 'verify', { plan })).summary.result).toBe('verified');
    const back = await fleet.run(host, 'rollback', { plan });
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { installed: false },
    });
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
    expect(await version(host, 'libtool9')).toBe('1.0-1 ii');
    expect(await version(host, 'new-part')).toBe('');
    expect((await shell(host, 'apt-mark showauto')).stdout.trim()).toBe('libtool9');
    expect(back.sections.get('after')).toContain('tool\tall\t1.0-1');
  });

  it('touches nothing when a kept file is not what was sealed', async () => {
    const host = fleet.host('altered');
    const { plan } = await patched(host);
    await shell(host, 'for deb in /var/lib/quarterdeck/*/old/tool_*.deb; do printf x >>$deb; done');
    const { summary } = await fleet.run(host, 'rollback', { plan });
    expect(summary).toMatchObject({ code: 106, result: 'drifted', reasons: [{ code: 'file-altered' }] });
    expect(await version(host, 'tool')).toBe('1.1-1 ii');
  });

  it('is refused as a whole where a package has no way back', async () => {
    const host = fleet.host('uncovered');
    const { plan } = await patched(host, { KeepPackages: 'none' });
    expect(plan.map(({ rollback }) => rollback)).toEqual([null, 'repository', 'repository']);
    const { summary } = await fleet.run(host, 'rollback', { plan });
    expect(summary).toMatchObject({ code: 107, result: 'refused', reasons: [{ code: 'not-covered' }] });
    expect(await version(host, 'tool')).toBe('1.1-1 ii');
  });
});
