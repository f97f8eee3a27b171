import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import {
  changes,
  codes,
  createPacmanFleet,
  installedOn,
  kernel,
  type PacmanFleet,
  plain,
  shell,
  until,
  waiting,
} from './pacman-fleet.ts';

const before = [
  plain('tool', '1.0', { requires: ['libtool'] }),
  plain('libtool', '1.0'),
  plain('old', '1.0'),
  kernel('6.1'),
];
const updates = [
  plain('tool', '1.1', { requires: ['libtool', 'new-part'] }),
  plain('libtool', '1.1'),
  plain('new-part', '1.0'),
  plain('successor', '2.0', { obsoletes: ['old'] }),
];

let fleet: PacmanFleet;
beforeAll(async () => {
  fleet = await createPacmanFleet(
    ['back', 'cut', 'killed', 'boot'],
    [...before, plain('slow', '1.0'), plain('other', '1.0')],
    'manjaro',
  );
});
afterAll(() => fleet?.close());

const documents = (phase: Parameters<typeof documentOf>[0]) => documentOf(phase, 'arch');

describe('a rollback', () => {
  const parameters = { Removals: 'allow', Reboot: 'never' };
  /** Prepares and patches while a mirror still has the files of the versions before. */
  const patched = (campaign: string, more: Readonly<Record<string, string>> = {}) =>
    fleet.whilePublished(before.slice(0, 3), () =>
      fleet.whilePublished(updates, async () => {
        const trial = { campaign, parameters: { ...parameters, ...more } };
        const prepared = await fleet.prepare(fleet.host('back'), trial);
        const patch = await fleet.run(fleet.host('back'), 'patch', { ...trial, plan: prepared.plan });
        expect(patch.summary, patch.log).toMatchObject({ result: 'patched', facts: { installed: true } });
        return prepared;
      }),
    );

  it('brings back exactly what was there, from files that mirrors still had, and removes what came', async () => {
    const host = fleet.host('back');
    const campaign = '2027-q1-back';
    await shell(host, 'pacman -D --asdeps libtool old');
    const own = 'pacman -Q; pacman -Qdq; find /usr/share /etc/pacman.conf -type f -path "*[lo][do]*" | sort';
    const untouched = await shell(host, own);
    const { run, plan } = await patched(campaign);
    expect(plan.map(({ action, name, rollback }) => `${action} ${name} ${rollback}`)).toEqual([
      'install new-part null',
      'install successor null',
      'replace old kept',
      'upgrade libtool kept',
      'upgrade tool kept',
    ]);
    expect(run.summary.found).toMatchObject({ rollbackKept: 3, rollbackRepository: 0, rollbackNone: 0 });
    expect((await fleet.run(host, 'verify', { plan, campaign })).summary.result).toBe('verified');
    const back = await fleet.run(host, 'rollback', { plan, campaign, parameters });
    expect(back.summary, back.log).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { installed: false, healthy: true },
      found: { integrityAfter: 0 },
    });
    expect((await shell(host, own)).stdout).toBe(untouched.stdout);
    expect(back.sections.get('after')).toContain('tool\tany\t1.0-1');
  });

  it('touches nothing when a kept file is not what was sealed, or one of all has no way back', async () => {
    const host = fleet.host('back');
    const { run, plan } = await patched('2027-q1-altered');
    expect(run.summary.found, run.log).toMatchObject({ rollbackKept: 3 });
    await shell(
      host,
      'for file in /var/lib/quarterdeck/2027-q1-altered/old/tool-*.gz; do printf x >>$file; done',
    );
    const altered = await fleet.run(host, 'rollback', { plan, campaign: '2027-q1-altered', parameters });
    expect(altered.summary, altered.log).toMatchObject({
      code: 106,
      result: 'drifted',
      reasons: [{ code: 'file-altered' }],
    });
    expect(await installedOn(host)).toMatchObject({ tool: '1.1-1', successor: '2.0-1' });
    await shell(host, 'rm -f /var/lib/quarterdeck/2027-q1-altered/state/rollback*');
    const never = await fleet.run(host, 'rollback', {
      plan,
      campaign: '2027-q1-altered',
      parameters,
      terms: { never: ['lib*'] },
    });
    expect(never.summary, never.log).toMatchObject({
      code: 107,
      result: 'refused',
      reasons: [{ code: 'never-rolled-back', detail: expect.stringContaining('libtool') }],
    });
  });

  it('is covered where a mirror answers only when it is asked again', async () => {
    const host = fleet.host('cut');
    const asked = new Map<string, number>();
    fleet.families.fleet.serveRepository(host.id, (request, response) => {
      const what = `${request.method} ${request.url}`;
      asked.set(what, (asked.get(what) ?? 0) + 1);
      if (asked.get(what) === 1 && what.includes('tool-1.0-1'))
        return void response.writeHead(503, { 'content-length': 0 }).end();
      fleet.repository.listener(request, response);
    });
    await fleet.whilePublished([plain('tool', '1.0')], () =>
      fleet.whilePublished([plain('tool', '1.1')], async () => {
        const { plan, run } = await fleet.prepare(host, { campaign: '2027-q1-again' });
        expect(plan, run.log).toMatchObject([{ name: 'tool', rollback: 'kept' }]);
      }),
    );
    fleet.families.fleet.serveRepository(host.id, fleet.repository.listener);
  });

  it('keeps nothing of a mirror that sends more than it said, and does not wait for all of it', async () => {
    const host = fleet.host('back');
    const huge = 256 * 2 ** 20;
    let sent = 0;
    fleet.families.fleet.serveRepository(host.id, (request, response) => {
      if (request.method === 'HEAD' || !request.url?.includes('other-1.0-1'))
        return fleet.repository.listener(request, response);
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      const send = () => {
        while (sent < huge && !response.destroyed) {
          sent += 65536;
          if (!response.write(Buffer.alloc(65536))) return void response.once('drain', send);
        }
        response.end();
      };
      send();
    });
    await fleet.whilePublished([plain('other', '1.0')], () =>
      fleet.whilePublished([plain('other', '1.1')], async () => {
        const { plan } = await fleet.prepare(host, { campaign: '2027-q1-huge' });
        expect(plan).toMatchObject([{ name: 'other', rollback: 'repository' }]);
      }),
    );
    fleet.families.fleet.serveRepository(host.id, fleet.repository.listener);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(huge);
  });

  it('is covered by the server’s own cache where a signature says what is in it, and not without one', async () => {
    const host = fleet.host('back');
    const cached = fleet.whilePublished([plain('other', '1.1')], () =>
      shell(host, 'pacman -Syyu --noconfirm --ignore linux'),
    );
    expect(await cached).toMatchObject({ code: 0 });
    await fleet.whilePublished([plain('other', '1.2')], async () => {
      const covered = await fleet.prepare(host, { campaign: '2027-q1-cached' });
      expect(covered.plan).toMatchObject([{ name: 'other', rollback: 'kept' }]);
      await shell(host, 'rm -f /var/cache/pacman/pkg/*.sig /var/lib/pacman/sync/*');
      const unsigned = await fleet.prepare(host, { campaign: '2027-q1-unsigned' });
      expect(unsigned.plan.map(({ rollback }) => rollback)).not.toContain('kept');
    });
  });
});

describe('what was interrupted is finished', () => {
  it('when the work step is killed: its transaction goes on, and runs its scripts once', async () => {
    const host = fleet.host('killed');
    await fleet.whilePublished([plain('tool', '1.1'), waiting('1.1', 'afterInstall')], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documents('patch'), 'work', parameters);
      await until(host, '/run/reached');
      work.kill();
      await work.exit;
      setTimeout(() => void host.writeFile('/run/go', '', 0o644), 300);
      const { summary } = await runDocument(host, documents('patch'), parameters);
      expect(summary).toMatchObject({ code: 0, result: 'patched', facts: { installed: true } });
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(1);
    });
  });

  it('after a power cut, with what came new still counted as a dependency', async () => {
    const host = fleet.host('cut');
    const campaign = '2027-q1-cut-short';
    const slow = waiting('1.2', 'afterInstall');
    const tool = plain('tool', slow.version);
    const added = plain(`added-${slow.version}`, '1.0');
    await fleet.whilePublished([{ ...tool, requires: [added.name] }, added, slow], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      const parameters = await fleet.order(host, 'patch', { plan, campaign });
      const work = startStep(host, documents('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      expect((await shell(host, 'ls /var/lib/pacman/db.lck')).code).toBe(0);
      const { summary } = await runDocument(host, documents('patch'), parameters);
      expect(summary).toMatchObject({
        code: 0,
        result: 'patched',
        facts: { installed: true, rebooted: true },
        found: { integrityAfter: 0 },
      });
      const { version } = slow;
      expect(await installedOn(host)).toMatchObject({
        slow: `${version}-1`,
        tool: `${version}-1`,
        [added.name]: '1.0-1',
      });
      expect((await shell(host, 'pacman -Dk; ls /var/lib/pacman')).stdout).not.toContain('db.lck');
      expect((await shell(host, 'pacman -Qdq')).stdout).toContain(added.name);
    });
  });

  it.each([
    ['taken the old entry away', '5', 'rm -r /var/lib/pacman/local/slow-5.0-1'],
    ['begun the new one', '6', 'cd /var/lib/pacman/local && mv slow-6.0-1 slow-6.1-1 && : >slow-6.1-1/desc'],
  ])('where pacman had just %s', async (_, major, damage) => {
    const host = fleet.host('cut');
    const campaign = `2027-q1-half-${major}`;
    const odd = `/usr/share/slow/odd [name]*${major}`;
    const files = { [odd]: { content: 'x\n' }, '/usr/share/slow/version': { content: `${major}.1\n` } };
    await fleet.whilePublished([plain('slow', `${major}.0`)], () =>
      shell(host, 'pacman -Syy --noconfirm slow && pacman -D --asdeps slow'),
    );
    await fleet.whilePublished(
      [plain('slow', `${major}.1`, { files }), plain('tool', `${major}.1`)],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        expect(changes(plan)[0]).toBe(`upgrade slow ${major}.0-1 ${major}.1-1`);
        const parameters = await fleet.order(host, 'patch', { plan, campaign });
        // As far as the transaction, and no further.
        await shell(
          host,
          'mv /usr/bin/unshare /usr/bin/away; printf "#!/bin/sh\nsleep 600\n" >/usr/bin/unshare; chmod 755 /usr/bin/unshare',
        );
        const work = startStep(host, documents('patch'), 'work', parameters);
        await until(host, `/var/lib/quarterdeck/${campaign}/state/transaction.begun`);
        await sleep(200);
        await host.powerCut();
        await work.exit;
        await host.reboot();
        await shell(host, 'mv /usr/bin/away /usr/bin/unshare');
        await shell(host, `${damage}; : >/var/lib/pacman/db.lck; echo torn >'${odd}'`);
        const { summary, log } = await runDocument(host, documents('patch'), parameters);
        expect(summary, log).toMatchObject({
          result: 'patched',
          facts: { installed: true },
          found: { integrityAfter: 0 },
        });
        expect(await installedOn(host)).toMatchObject({ slow: `${major}.1-1`, tool: `${major}.1-1` });
        expect(await host.readFile(odd)).toBe('x\n');
        expect((await shell(host, 'pacman -Qdq')).stdout).toContain('slow\n');
      },
    );
  });

  it('by repairs alone when its time is over', async () => {
    const host = fleet.host('killed');
    const campaign = '2027-q1-late';
    await shell(host, 'rm -f /run/go /run/reached');
    await fleet.whilePublished(
      [plain('libtool', '1.4'), waiting('1.4', 'afterInstall'), plain('tool', '1.4')],
      async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        const parameters = await fleet.order(host, 'patch', { plan, campaign });
        const work = startStep(host, documents('patch'), 'work', parameters);
        await until(host, '/run/reached');
        await host.powerCut();
        await work.exit;
        await host.reboot();
        await host.writeFile('/run/go', '', 0o644);
        await shell(host, `sed -i 's/^used=.*/used=60000/' /var/lib/quarterdeck/${campaign}/state/patch`);
        const { summary } = await runDocument(host, documents('patch'), parameters);
        expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: false } });
        expect(codes(summary.reasons)).toContain('no-time');
        expect(await installedOn(host)).toMatchObject({ slow: '1.4-1', tool: '1.1-1' });
        expect((await shell(host, 'pacman -Dk && ! ls /var/lib/pacman/db.lck')).code).toBe(0);
      },
    );
  });
});

describe('a new kernel', () => {
  it('is refused where no reboot is allowed, and brings a real one where it is', async () => {
    const host = fleet.host('boot');
    await fleet.whilePublished([kernel('6.2')], async () => {
      const never = await fleet.run(host, 'prepare', {
        campaign: '2027-q1-never',
        parameters: { Reboot: 'never' },
      });
      expect(never.summary).toMatchObject({
        code: 107,
        result: 'unsupported',
        reasons: [{ code: 'kernel-needs-reboot', detail: expect.stringContaining('linux') }],
      });
      const { plan } = await fleet.prepare(host);
      expect(changes(plan)).toEqual(['upgrade linux 6.1-1 6.2-1']);
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.workExits).toEqual([194, 0]);
      expect(patch.summary).toMatchObject({
        result: 'patched',
        reasons: [],
        facts: { installed: true, rebootPending: false, rebooted: true, healthy: true },
      });
      expect(patch.summary.boot?.before).not.toBe(patch.summary.boot?.after);
    });
  });

  it('goes back as any package does, and that takes a reboot too', async () => {
    const host = fleet.host('boot');
    const campaign = '2027-q1-kernel-back';
    await fleet.whilePublished([kernel('6.2')], () =>
      fleet.whilePublished([kernel('6.3')], async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        expect(plan).toMatchObject([{ name: 'linux', rollback: 'kept' }]);
        await fleet.run(host, 'patch', { plan, campaign, parameters: { Reboot: 'never' } });
        const back = await fleet.run(host, 'rollback', { plan, campaign });
        expect(back.workExits).toEqual([194, 0]);
        expect(back.summary).toMatchObject({ result: 'rolled-back', facts: { rebootPending: false } });
        expect(await installedOn(host)).toMatchObject({ linux: '6.2-1' });
        expect((await shell(host, 'ls /usr/lib/modules')).stdout).toBe('6.2-linux\n');
      }),
    );
  });

  it('is not the only reason: libraries that everything uses are one as well', async () => {
    const host = fleet.host('boot');
    const campaign = '2027-q1-systemd';
    await fleet.whilePublished([plain('dbus', '1.0')], () => shell(host, 'pacman -Syy --noconfirm dbus'));
    await fleet.whilePublished([plain('dbus', '1.1')], async () => {
      const { run, plan } = await fleet.prepare(host, { campaign });
      expect(codes(run.summary.warnings)).toEqual(['reboot-needed']);
      const patch = await fleet.run(host, 'patch', { plan, campaign, parameters: { Reboot: 'never' } });
      expect(patch.summary).toMatchObject({
        facts: { rebootPending: true, rebooted: false },
        warnings: [{ code: 'reboot-needed', detail: expect.stringContaining('dbus') }],
      });
    });
  });
});
