import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import {
  installedVersions,
  type ShimTrial,
  spec,
  startShimTrial,
  until,
  waitingScript,
} from './shim-trial.ts';

const root = mkdtempSync(join(tmpdir(), 'quarterdeck-time-'));
afterAll(() => rmSync(root, { recursive: true }));

let trial: ShimTrial | undefined;

afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

async function start(...words: Parameters<typeof startShimTrial>): Promise<ShimTrial> {
  trial = await startShimTrial(...words);
  return trial;
}

/** Seconds that a run has left which resumes after another; all times in seconds. */
function secondsLeft(run: {
  readonly budget: number;
  readonly ownBudget?: number;
  readonly used: number;
  /** What the other run saw last. */
  readonly uptime: number;
  readonly clock: number;
  readonly now: { readonly uptime: number; readonly clock: number; readonly sameBoot: boolean };
}): number {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      `CampaignId=2027-q1-tests TimeBudget=${run.ownBudget ?? run.budget}
      for name in log state json transport phase; do source ssm-documents/lib/$name.sh; done
      read_uptime() { NOW=${run.now.uptime * 100}; }
      aws_time() { REPLY=${run.now.clock}; }
      BOOT_ID=${run.now.sameBoot ? 'one' : 'two'}
      read_uptime; STARTED=$NOW
      ST=([stage]=transaction [budget]=${run.budget} [used]=${run.used * 100} [seen]="${run.uptime * 100} ${run.clock} one")
      count_absence
      seconds_left
      echo "$REPLY"`,
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, QD_ROOT: root } },
  );
  expect(stderr).toBe('');
  return Number(stdout);
}

describe('the time that a resumed patch has left', () => {
  const before = { budget: 3600, used: 600, uptime: 10_000, clock: 1_800_000_000 };
  const resumed = (uptime: number, clock: number, sameBoot: boolean) => ({
    ...before,
    now: { uptime, clock: before.clock + clock, sameBoot },
  });

  it.each([
    ['is what the first run left', resumed(10_100, 100, true), 2900],
    ['goes by uptime while the machine runs, whatever its clock does', resumed(10_100, 90_000, true), 2900],
    ['goes by the clock across a boot, which uptime does not see', resumed(20, 1000, false), 2000],
    ['goes by uptime across a boot where the clock tells less', resumed(500, 3, false), 2500],
    ['is none when the server was away for days', resumed(20, 3 * 86_400, false), -1],
    ['is none when the clock went back', resumed(20, -3600, false), -1],
    ['is that of a second command with less', { ...resumed(10_100, 100, true), ownBudget: 300 }, 300],
    ['is not made more by a second command', { ...resumed(10_100, 100, true), ownBudget: 86_400 }, 2900],
  ])('%s', (_, run, left) => {
    const seconds = secondsLeft(run);
    expect(Math.max(seconds, -1)).toBe(left);
  });
});

/** Has a patch's recorded time run out. */
async function spend(host: Host, seconds: number): Promise<void> {
  const path = `/var/lib/quarterdeck/2027-q1-${host.name}/state/patch`;
  const state = (await host.readFile(path)) ?? '';
  expect(state).toMatch(/^used=\d+$/m);
  await host.writeFile(
    path,
    state.replace(/^used=(\d+)$/m, (_, used) => `used=${Number(used) + seconds * 100}`),
    0o600,
  );
}

describe('a patch whose time ran out while it was interrupted', () => {
  const rebooting = spec('lib', '1.1-1', waitingScript(': >"$DPKG_ROOT/run/reboot-required"'));

  async function interrupted() {
    const { host, prepare, order, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable', [rebooting]);
    const { plan } = await prepare(host);
    const parameters = await order(host, 'patch', { plan });
    const work = startStep(host, documentOf('patch'), 'work', parameters);
    await until(host, '/run/reached');
    return { host, parameters, work };
  }

  it('is finished, and does not restart the server', async () => {
    const { host, parameters, work } = await interrupted();
    work.kill();
    await work.exit;
    await spend(host, 600);
    await host.writeFile('/run/go', '', 0o644);
    const { summary, workExits } = await runDocument(host, documentOf('patch'), parameters);
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { installed: true, rebootPending: true, rebooted: false },
      reasons: [{ code: 'no-time-to-reboot' }],
    });
    expect(summary.seconds.total).toBeGreaterThan(600);
  });

  it('is repaired after a power cut, and does not restart the server', async () => {
    const { host, parameters, work } = await interrupted();
    await host.powerCut();
    await work.exit;
    await host.reboot();
    await spend(host, 600);
    await host.writeFile('/run/go', '', 0o644);
    const { summary, workExits } = await runDocument(host, documentOf('patch'), parameters);
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { installed: true, rebootPending: true },
      reasons: [{ code: 'no-time-to-reboot' }],
    });
    expect(await installedVersions(host)).toEqual({ lib: '1.1-1 ii' });
  });

  it.each([
    ['nothing was', { stage: 'started' }],
    ['its transaction was not', { stage: 'transaction', attempts: 0 }],
  ])('is not begun when %s', async (_, stage) => {
    const { host, prepare, order, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
    const { plan } = await prepare(host);
    const parameters = await order(host, 'patch', { plan });
    const boot = (await host.readFile('/proc/sys/kernel/random/boot_id'))?.trim();
    const state = {
      ...stage,
      server: host.id,
      boot,
      budget: 600,
      used: 59_000,
      seen: `0 0 ${boot}`,
    };
    await host.writeFile(
      `/var/lib/quarterdeck/2027-q1-${host.name}/state/patch`,
      Object.entries(state)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
      0o600,
    );
    const { summary } = await runDocument(host, documentOf('patch'), parameters);
    expect(summary).toMatchObject({
      code: 1,
      result: 'refused',
      facts: { installed: false },
      reasons: [{ code: 'no-time' }],
    });
    expect(await installedVersions(host)).toEqual({ lib: '1.0-1 ii' });
  });
});
