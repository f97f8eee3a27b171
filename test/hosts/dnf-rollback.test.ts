import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import { changes, createDnfFleet, dnfs, kernel, onEveryDnf, slow, versions } from './dnf-fleet.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

const before = [
  plain('tool', '1.0', { requires: ['libtool'] }),
  // An epoch of 0 that is written out is the same as none.
  plain('libtool', '1.0', { epoch: 0 }),
  ...['old-half', 'new-half'].map((name) => plain(name, '1.0')),
];
const updates = [
  plain('tool', '1.1', { requires: ['libtool', 'new-part'] }),
  plain('libtool', '1.1'),
  plain('new-part', '1.0'),
  plain('new-half', '2.0', { obsoletes: ['old-half'] }),
  kernel('2'),
];

let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({
    hosts: onEveryDnf('back', 'uncovered', 'killed', 'cut'),
    installed: [...before, plain('slow', '1.0'), kernel('1')],
  });
});
afterAll(() => fleet?.close());

/** Prepares and patches while repositories have the versions before and the updates; then both are gone. */
const patched = async (
  host: Host,
  release: FamilyRelease,
  parameters: Readonly<Record<string, string>> = {},
) =>
  fleet.whilePublished(release, before, () =>
    fleet.whilePublished(release, updates, async () => {
      const given = { parameters: { Removals: 'allow', Reboot: 'never', ...parameters } };
      const { run, plan } = await fleet.prepare(host, given);
      expect((await fleet.run(host, 'patch', { ...given, plan })).summary.result).toBe('patched');
      return { run, plan, given };
    }),
  );

const files = 'cd /usr/share && grep . */version';

describe.each(dnfs)('a rollback on $manager', ({ release }) => {
  it('brings back the versions before with their files, what was replaced too, and leaves kernels to the boot', async () => {
    const host = fleet.host(`back-${release}`);
    // There is no boot loader to tell here: what it is told is kept.
    await host.writeFile(
      '/usr/bin/grubby',
      '#!/bin/sh\ncase $1 in --set-default=*) echo "$1" | cut -d = -f 2 >/root/booted ;; *) cat /root/booted ;; esac\n',
      0o755,
    );
    await host.writeFile('/root/booted', '/boot/vmlinuz-5.14.0-1.x86_64\n', 0o644);
    const there = await versions(host);
    const content = (await shell(host, files)).stdout;
    expect(content).toContain('old-half/version:1.0');
    const { run, plan, given } = await patched(host, release);
    expect(run.summary.found).toMatchObject({ rollbackKept: 4, rollbackRepository: 0, rollbackNone: 0 });
    expect((await fleet.run(host, 'verify', { ...given, plan })).summary.result).toBe('verified');
    await host.writeFile('/root/booted', '/boot/vmlinuz-5.14.0-2.x86_64\n', 0o644);
    const back = await fleet.run(host, 'rollback', { ...given, plan });
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { installed: false },
    });
    expect(back.summary.warnings).toContainEqual({
      code: 'kernel-left',
      detail: 'stays installed, and 5.14.0-1.x86_64 is booted from now on: kernel-core',
    });
    expect(await host.readFile('/root/booted')).toBe('/boot/vmlinuz-5.14.0-1.x86_64\n');
    expect(await versions(host)).toEqual({ ...there, 'kernel-core': '5.14.0-1 5.14.0-2' });
    expect((await shell(host, files)).stdout).toBe(content);
    expect((await shell(host, 'rpm -Va --nomtime')).stdout).toBe('');
  });

  it('is refused as a whole where a package has no way back, or its kept file is not what was sealed', async () => {
    const host = fleet.host(`uncovered-${release}`);
    const { plan, given } = await patched(host, release, { KeepPackages: 'none' });
    expect(plan.filter(({ rollback }) => rollback === 'repository')).toHaveLength(4);
    const gone = await fleet.run(host, 'rollback', { ...given, plan });
    expect(gone.summary).toMatchObject({ code: 107, result: 'refused', reasons: [{ code: 'not-covered' }] });
    await shell(host, 'rm /var/lib/quarterdeck/*/state/rollback*');
    const back = await fleet.whilePublished(release, before, () =>
      fleet.run(host, 'rollback', { ...given, plan }),
    );
    expect(back.summary).toMatchObject({ code: 0, result: 'rolled-back' });
    expect(await versions(host)).toMatchObject({ tool: '1.0-1', 'old-half': '1.0-1' });
  });
});

describe.each(dnfs)('a transaction on $manager that was interrupted is finished', ({ release }) => {
  const interrupted = async (host: Host, interrupt: (work: { kill(): void }) => Promise<unknown>) => {
    await fleet.whilePublished(release, [plain('libtool', '1.1'), slow('1.1')], async () => {
      const { plan } = await fleet.prepare(host);
      expect(changes(plan)).toEqual(['upgrade libtool 1.0-1 1.1-1', 'upgrade slow 1.0-1 1.1-1']);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch', 'rhel'), 'work', parameters);
      await shell(host, 'while [ ! -e /run/reached ]; do sleep 0.05; done');
      await interrupt(work);
      await work.exit;
      const { summary } = await runDocument(host, documentOf('patch', 'rhel'), parameters);
      expect(summary).toMatchObject({ code: 0, result: 'patched', facts: { installed: true } });
      expect(await versions(host)).toMatchObject({ libtool: '1.1-1', slow: '1.1-1' });
      expect((await shell(host, 'dnf -q -C check')).stdout).toBe('');
    });
  };

  it('when the agent killed the work step: it goes on, and the next run finds it', async () => {
    const host = fleet.host(`killed-${release}`);
    await interrupted(host, async (work) => {
      work.kill();
      setTimeout(() => void host.writeFile('/run/go', '', 0o644), 300);
    });
    expect((await host.readFile('/var/tmp/slow-runs'))?.trim()).toBe('ran');
  });

  it('after a power cut in a script, which runs again', async () => {
    const host = fleet.host(`cut-${release}`);
    await interrupted(host, async () => {
      await host.powerCut();
      await host.reboot();
      expect(await versions(host)).toMatchObject({ slow: '1.0-1 1.1-1' });
      await host.writeFile('/run/go', '', 0o644);
    });
    expect((await host.readFile('/var/tmp/slow-runs'))?.trim()).toBe('ran\nran');
  });
});
