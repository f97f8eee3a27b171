import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, runDocument, type StartedStep, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, version, waiting } from './apt-fleet.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['kill', 'cut', 'unpack', 'late', 'moments', 'twins'],
    installed: ['tool', 'slow-tool'].map((name) => plain(name, '1.0-1')),
  });
});

afterAll(() => fleet?.close());

const newTool = plain('tool', '1.1-1');

describe('a transaction that was interrupted is finished', () => {
  it('when the agent killed the work step: it goes on, and the next run finds it', async () => {
    const host = fleet.host('kill');
    await fleet.whilePublished('stable', [newTool, waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      work.kill();
      await work.exit;
      const interrupted = await readSummary(host, documentOf('patch'), parameters);
      expect(interrupted).toMatchObject({ exit: 1, summary: { code: 1, result: 'failed', object: null } });
      expect(interrupted.summary.reasons[0]).toEqual({
        code: 'interrupted',
        detail: 'the work step was ended in stage transaction; its package transaction is still running',
      });
      expect(interrupted.summary.plan?.entries).toBe(2);
      setTimeout(() => void host.writeFile('/run/go', '', 0o644), 300);
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({ code: 0, result: 'patched', facts: { installed: true } });
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(1);
    });
  });

  it.each([
    ['cut', 'postinst'],
    ['unpack', 'preinst'],
  ] as const)('after a power cut (host %s, in a %s)', async (name, script) => {
    const host = fleet.host(name);
    const marking = waiting('1.1-1', script, ': >/run/reboot-required');
    await fleet.whilePublished('stable', [newTool, marking], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      expect(await version(host, 'slow-tool')).not.toBe('1.1-1 ii');
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        code: 0,
        result: 'patched',
        facts: { installed: true, rebooted: true },
      });
      expect(await version(host, 'slow-tool')).toBe('1.1-1 ii');
      expect(await version(host, 'tool')).toBe('1.1-1 ii');
      expect((await shell(host, 'dpkg --audit; apt-get check')).stdout).not.toMatch(/broken|half/);
    });
  });

  it('by repairs alone when its time is over: nothing more is begun, and nothing restarts', async () => {
    const host = fleet.host('late');
    const marking = waiting('1.1-1', 'preinst', ': >/run/reboot-required');
    await fleet.whilePublished('stable', [newTool, marking], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      await shell(host, "sed -i 's/^used=.*/used=60000/' /var/lib/quarterdeck/2027-q1-late/state/patch");
      const { summary, workExits } = await runDocument(host, documentOf('patch'), parameters);
      expect(workExits).toEqual([0]);
      expect(summary).toMatchObject({
        code: 100,
        result: 'failed',
        facts: { installed: false, rebootPending: true, healthy: true },
      });
      expect(summary.reasons.map(({ code }) => code)).toEqual([
        'not-installed',
        'no-time',
        'reboot-withheld',
      ]);
      expect(await version(host, 'slow-tool')).toBe('1.1-1 ii');
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
      expect((await shell(host, 'dpkg --audit; apt-get check')).stdout).not.toMatch(/broken|half/);
    });
  });

  it.each([
    ['kills the work step', 2, (_: Host, work: StartedStep) => work.kill()],
    ['cuts the power', 3, (host: Host) => host.powerCut()],
  ] as const)('at whatever moment something %s', async (_, series, interrupt) => {
    const host = fleet.host('moments');
    for (const delay of [50, 150, 300, 450, 600, 800]) {
      const campaign = `2027-q1-series-${series}-${delay}`;
      const release = plain('tool', `${series}.${delay}-1`, {
        scripts: { postinst: `#!/bin/sh\nsleep 0.2\necho ${campaign} >>/var/tmp/releases\n` },
      });
      await fleet.whilePublished('stable', [release], async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        expect(plan).toHaveLength(1);
        const parameters = await fleet.order(host, 'patch', { plan, campaign });
        const work = startStep(host, documentOf('patch'), 'work', parameters);
        await sleep(delay);
        await interrupt(host, work);
        await work.exit;
        if (!host.online()) await host.reboot();
        const { summary } = await runDocument(host, documentOf('patch'), parameters);
        expect(summary, `after ${delay} ms`).toMatchObject({ result: 'patched', facts: { installed: true } });
        expect(await version(host, 'tool')).toBe(`${release.version} ii`);
      });
    }
    // A script that lost its power runs again; one that only lost who waited for it does not.
    const releases = (await host.readFile('/var/tmp/releases'))?.trim().split('\n') ?? [];
    if (series === 2) expect(new Set(releases).size).toBe(releases.length);
  });

  it('and two commands for one job make one transaction', async () => {
    const host = fleet.host('twins');
    await fleet.whilePublished('stable', [waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const both = [1, 2].map(() => runDocument(host, documentOf('patch'), parameters));
      await until(host, '/run/reached');
      await host.writeFile('/run/go', '', 0o644);
      const [one, two] = await Promise.all(both);
      expect(one?.summary).toEqual(two?.summary);
      expect(one?.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(1);
    });
  });
});

describe('without systemd', () => {
  let rootless: AptFleet;
  beforeAll(async () => {
    rootless = await createAptFleet({
      names: ['plain-host'],
      how: 'rootless',
      installed: ['tool', 'slow-tool'].map((name) => plain(name, '1.0-1')),
    });
  });
  afterAll(() => rootless?.close());

  it('a transaction that was killed with its work step is repaired by the next run', async () => {
    const host = rootless.host('plain-host');
    await rootless.whilePublished('stable', [newTool, waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await rootless.prepare(host);
      const parameters = await rootless.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        result: 'patched',
        facts: { installed: true, rebooted: true, healthy: null },
      });
      expect(await version(host, 'slow-tool')).toBe('1.1-1 ii');
    });
  });
});
