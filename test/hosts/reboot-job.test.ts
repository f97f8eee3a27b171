import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, waiting } from './apt-fleet.ts';
import { shell } from './observe.ts';
import { askedOfWeb, restartWeb, webFiles } from './web-package.ts';

let fleet: AptFleet;
let host: Host;
let jobs = 0;
let campaign: string;

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['restarts'],
    installed: [
      plain('slow-tool', '1.0-1'),
      {
        name: 'web',
        version: '1.0-1',
        files: webFiles('status 200\n'),
        scripts: { postinst: `#!/bin/sh\n${restartWeb}\n` },
      },
    ],
  });
  host = fleet.host('restarts');
});
beforeEach(() => {
  campaign = `2027-q1-restart-${++jobs}`;
});
afterAll(() => fleet?.close());

const bootId = async () => (await shell(host, 'cat /proc/sys/kernel/random/boot_id')).stdout.trim();
const ask = (parameters: Record<string, string>, trial: Parameters<AptFleet['run']>[2] = {}) =>
  fleet.run(host, 'reboot', { ...trial, campaign, parameters });

describe('a reboot job', () => {
  it('restarts a server that needs it once, and the boot that follows proves it', async () => {
    await shell(
      host,
      ': >/run/reboot-required; echo libc6 >/run/reboot-required.pkgs; systemctl enable --now web',
    );
    const before = await bootId();
    const { summary, workExits, exit } = await ask({ Reboot: 'if-needed' }, { asked: askedOfWeb });
    expect(workExits).toEqual([194, 0]);
    expect(exit).toBe(0);
    expect(summary).toMatchObject({
      phase: 'reboot',
      code: 0,
      result: 'rebooted',
      reasons: [],
      facts: { installed: null, rebooted: true, rebootPending: false, healthy: true },
      found: { servicesDown: 0, probesFailed: 0 },
      boot: { before, after: await bootId() },
    });
    expect(summary.boot?.after).not.toBe(before);
    // A command that is delivered again finds the job done.
    const again = await ask({ Reboot: 'always' });
    expect(again).toMatchObject({ workExits: [0], summary });
  });

  it('leaves alone a server that does not need one, and may be asked for again', async () => {
    const first = await ask({ Reboot: 'if-needed' });
    expect(first).toMatchObject({
      workExits: [0],
      exit: 0,
      summary: { code: 2, result: 'not-needed', facts: { rebootPending: false } },
    });
    await shell(host, ': >/run/reboot-required');
    expect((await ask({ Reboot: 'if-needed' })).summary.result).toBe('rebooted');
  });

  it.each([
    ['the policy forbids it', { Reboot: 'never' }, 'reboot-withheld'],
    [
      'its window is too short',
      { Reboot: 'always', TimeBudget: '100', RebootReserve: '60' },
      'no-time-to-reboot',
    ],
  ])('is refused where %s', async (_, parameters, code) => {
    const before = await bootId();
    expect(await ask(parameters)).toMatchObject({
      workExits: [0],
      summary: { code: 1, result: 'refused', reasons: [{ code }] },
    });
    expect(await bootId()).toBe(before);
  });

  it('waits for whoever works on packages, and is refused while they do', async () => {
    await fleet.whilePublished('stable', [waiting('1.1-1', 'postinst')], async () => {
      const other = shell(host, 'apt-get -qq update; exec apt-get -qq install slow-tool');
      await until(host, '/run/reached');
      const { summary, workExits } = await ask({ Reboot: 'always', TimeBudget: '130' });
      expect(workExits).toEqual([0]);
      expect(summary).toMatchObject({ result: 'refused', reasons: [{ code: 'lock-held' }] });
      await host.writeFile('/run/go', '', 0o644);
      expect((await other).code).toBe(0);
    });
  });

  it('asks twice at most of a server that is not restarted, and then has failed', async () => {
    const parameters = await fleet.order(host, 'reboot', { campaign, parameters: { Reboot: 'always' } });
    const exits: (number | null)[] = [];
    for (let run = 0; run < 4; run++)
      exits.push((await startStep(host, documentOf('reboot'), 'work', parameters).exit).code);
    expect(exits).toEqual([194, 194, 0, 0]);
    const { summary } = await readSummary(host, documentOf('reboot'), parameters);
    expect(summary).toMatchObject({ code: 1, result: 'failed', reasons: [{ code: 'reboot-failed' }] });
  });

  it('says of a server that is lost on its way that it was ended while rebooting', async () => {
    const parameters = await fleet.order(host, 'reboot', { campaign, parameters: { Reboot: 'always' } });
    expect((await startStep(host, documentOf('reboot'), 'work', parameters).exit).code).toBe(194);
    await host.powerCut();
    await host.reboot();
    const { summary, exit } = await readSummary(host, documentOf('reboot'), parameters);
    expect(exit).toBe(1);
    expect(summary).toMatchObject({
      result: 'failed',
      facts: { rebooted: true },
      reasons: [{ code: 'interrupted', detail: expect.stringContaining('stage rebooting') }],
    });
  });

  it('counts as done where a service stays down, which is a fact of its own', async () => {
    await shell(host, 'systemctl disable web');
    const { summary } = await ask({ Reboot: 'always' }, { asked: askedOfWeb });
    expect(summary).toMatchObject({
      code: 0,
      result: 'rebooted',
      facts: { rebooted: true, healthy: false },
      reasons: [{ code: 'service-down' }, { code: 'probe-failed' }],
    });
  });
});
