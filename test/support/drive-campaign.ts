/** Owns a state machine as plain as can be: calls the steps in turn, and again when the process of one died. */
import type { Campaign } from '../../core/campaign.ts';
import { type Phase, phaseSchema } from '../../core/phase.ts';
import type { Policy } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { askApproval } from '../../core/use-cases/ask-approval.ts';
import type { BatchManifest } from '../../core/use-cases/batch-manifest.ts';
import { closeCampaign } from '../../core/use-cases/close-campaign.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import { BatchBusy, dispatchBatch } from '../../core/use-cases/dispatch-batch.ts';
import { enterWindow } from '../../core/use-cases/enter-window.ts';
import { judgeWave } from '../../core/use-cases/judge-wave.ts';
import { openCampaign } from '../../core/use-cases/open-campaign.ts';
import { sealCampaign } from '../../core/use-cases/seal-campaign.ts';
import { settleCommand, UnknownCommand } from '../../core/use-cases/settle-run.ts';
import { sweep } from '../../core/use-cases/sweep.ts';
import { type BareCampaign, inputOf } from './bare-campaign.ts';
import { Died, mortal } from './interruptions.ts';
import { campaignId, window } from './samples.ts';

export interface Drive {
  /** Calls to ports that all processes made, by name. */
  readonly calls: readonly string[];
}

interface Driver extends Drive {
  readonly world: BareCampaign;
  /** Runs a process until it ends; `attempt` counts from 0. */
  run<T>(act: (ports: Ports, attempt: number) => Promise<T>): Promise<T>;
}

/** Longer than a lease: what was interrupted is tried again when nobody else can be at it. */
const patience = 130;

export interface DriveOptions {
  /** Where processes die on the way: numbers of calls, counted over all of them. */
  readonly deaths?: readonly number[];
  /** How often every process runs. */
  readonly times?: number;
}

function createDriver(world: BareCampaign, { deaths = [], times = 1 }: DriveOptions): Driver {
  const calls: string[] = [];
  return {
    world,
    calls,
    async run(act) {
      let done = 0;
      for (let attempt = 0; ; attempt++) {
        const next = deaths.find((call) => call >= calls.length);
        const process = mortal(world.ports, next === undefined ? undefined : next - calls.length);
        try {
          const result = await act(process.ports, attempt);
          if (++done === times) return result;
        } catch (error) {
          if (!(error instanceof Died || error instanceof BatchBusy) || attempt > deaths.length) throw error;
          world.sleep(patience);
        } finally {
          calls.push(...process.calls);
        }
      }
    },
  };
}

/** Brings a campaign from its creation to its end. */
export async function driveCampaign(
  world: BareCampaign,
  servers: readonly Server[],
  policy: Policy,
  options: DriveOptions = {},
): Promise<Drive> {
  const driver = createDriver(world, options);
  const { run } = driver;
  await run((ports) => createCampaign(ports, inputOf(servers, policy), world.now()));
  const end = await patchAll(driver);
  await run((ports) => closeCampaign(ports, { campaignId, ...end }, world.now()));
  // The sweeper knows nothing of endings: it comes once more for what died after it was answered.
  world.sleep(300);
  await run((ports) => sweep(ports, world.now()));
  return driver;
}

type End = {
  ending: Exclude<Campaign['state'], 'planned' | 'preparing' | 'sealed' | 'awaiting-approval' | 'patching'>;
  reason: Campaign['reason'];
};

async function patchAll(driver: Driver): Promise<End> {
  const { run, world } = driver;
  const opened = await run((ports) => openCampaign(ports, { campaignId }, world.now()));
  if (opened.verdict === 'end') return opened;
  await dispatchAll(driver, opened.prepare, 'prepare');
  const sealed = await run((ports) => sealCampaign(ports, { campaignId }, world.now()));
  if (sealed.verdict === 'end') return sealed;
  if (sealed.approval) await approve(driver, sealed.root, sealed.approvalSeconds);
  world.sleepUntil(window.start);
  const entry = await run((ports) => enterWindow(ports, { campaignId }, world.now()));
  if (entry.verdict === 'end') return entry;
  for (let wave = 0; ; wave++) {
    const judge = (at: 'begin' | 'patched' | 'verified' | 'rolled-back') =>
      run((ports) => judgeWave(ports, { campaignId, wave, at }, world.now()));
    const begun = await judge('begin');
    if (begun.reason) return { ending: 'stopped', reason: begun.reason };
    await dispatchAll(driver, begun.patch, 'patch');
    const patched = await judge('patched');
    if (!patched.reason) world.sleepUntil(patched.soakUntil);
    await dispatchAll(driver, patched.verify, 'verify');
    const verified = await judge('verified');
    for (const { batchId } of verified.rollback.batches) await dispatchOne(driver, batchId, 'rollback');
    const { reason: last } = verified.rollback.batches.length > 0 ? await judge('rolled-back') : verified;
    const reason = patched.reason ?? last;
    if (reason) return { ending: 'stopped', reason };
    if (verified.isLast) return { ending: 'completed', reason: null };
  }
}

async function approve({ run, world }: Driver, root: string, seconds: number): Promise<void> {
  let token = '';
  await run(async (ports, attempt) => {
    token = `approval ${attempt}`;
    await askApproval(ports, { campaignId, taskToken: token, seconds }, world.now());
  });
  await run((ports) => decideApproval(ports, { campaignId, root, approved: true, by: 'bob' }, world.now()));
  if (!world.answers.delivered.has(token)) throw new Error('the approval was never delivered');
}

async function dispatchAll(driver: Driver, manifest: BatchManifest, phase: Phase): Promise<void> {
  const list = await driver.world.ports.objects.get(manifest.key);
  const batches: { batchId: string }[] = JSON.parse(Buffer.from(list as Uint8Array).toString());
  for (const { batchId } of batches) await dispatchOne(driver, batchId, phase);
}

/** Dispatches, lets the servers answer, and brings their events, until the token has its answer. */
async function dispatchOne({ run, world }: Driver, batchId: string, phase: Phase): Promise<void> {
  const { answers, runCommand } = world;
  let token = '';
  await run(async (ports, attempt) => {
    // The state machine goes on when it has its answer, whatever became of the process that gave it.
    if (answers.delivered.has(token)) return;
    answers.expire(token);
    token = `${batchId} ${phase} ${attempt}`;
    await dispatchBatch(
      ports,
      { campaignId, batchId, phase: phaseSchema.parse(phase), taskToken: token },
      world.now(),
    );
  });
  for (let round = 0; !answers.delivered.has(token); round++) {
    if (round === 4) throw new Error(`${batchId} ${phase} was never answered`);
    await runCommand.answer();
    for (const { commandId, request } of runCommand.sent) {
      if (!request.comment.startsWith(`${campaignId} ${batchId} ${phase} `)) continue;
      await run(async (ports) => {
        try {
          await settleCommand(ports, commandId, world.now());
        } catch (error) {
          if (!(error instanceof UnknownCommand)) throw error;
        }
      });
    }
    world.sleep(300);
    await run((ports) => sweep(ports, world.now()));
  }
}
