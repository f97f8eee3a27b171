/** Owns bringing a bare campaign as far as a test begins. */
import { budgetEntries, budgetPartition, listAll } from '../../core/entities.ts';
import type { BudgetEntry } from '../../core/error-budget.ts';
import type { Phase } from '../../core/phase.ts';
import type { Policy } from '../../core/policy.ts';
import type { Server } from '../../core/server.ts';
import { askApproval } from '../../core/use-cases/ask-approval.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import { dispatchBatch } from '../../core/use-cases/dispatch-batch.ts';
import { enterWindow } from '../../core/use-cases/enter-window.ts';
import { openCampaign } from '../../core/use-cases/open-campaign.ts';
import { sealCampaign } from '../../core/use-cases/seal-campaign.ts';
import { settleRun } from '../../core/use-cases/settle-run.ts';
import { type BareCampaign, createBareCampaign, inputOf } from './bare-campaign.ts';
import { campaignId, policyOf, window } from './samples.ts';
import type { Host } from './scripted-run-command.ts';

/** One canary, then all others; no approval, and no end of the error budget. */
export const plainPolicy = policyOf({
  waves: { canary: 1, percentages: [100], soakSeconds: 60 },
  approval: { required: false },
  errorBudget: { failures: 1000, share: 1 },
});

export interface Cast {
  readonly servers: readonly Server[];
  readonly policy?: Policy;
  /** By name of the server. */
  readonly hosts?: Readonly<Record<string, Host>>;
}

export async function created({ servers, policy = plainPolicy, hosts = {} }: Cast): Promise<BareCampaign> {
  const world = createBareCampaign(servers);
  for (const server of servers) world.runCommand.hosts.set(server.id, hosts[server.name] ?? {});
  await createCampaign(world.ports, inputOf(servers, policy), world.now());
  return world;
}

export async function opened(cast: Cast): Promise<BareCampaign> {
  const world = await created(cast);
  await openCampaign(world.ports, { campaignId }, world.now());
  return world;
}

/** All batches that `open` laid out are prepared and answered. */
export async function prepared(cast: Cast): Promise<BareCampaign> {
  const world = await opened(cast);
  const { records } = await world.ports.records.list(`campaign#${campaignId}`, { prefix: 'batch#p-' });
  for (const { key } of records) await carryOut(world, key.sort.replace('batch#', ''), 'prepare');
  return world;
}

export async function sealed(cast: Cast): Promise<BareCampaign> {
  const world = await prepared(cast);
  await sealCampaign(world.ports, { campaignId }, world.now());
  return world;
}

/** The window is open, and somebody has approved where the policy asks. */
export async function patching(cast: Cast): Promise<BareCampaign> {
  const world = await sealed(cast);
  const { policy, seal } = await world.campaign();
  if (policy.approval.required) {
    await askApproval(world.ports, { campaignId, taskToken: 'approval', seconds: 3600 }, world.now());
    const root = seal?.root ?? '';
    await decideApproval(world.ports, { campaignId, root, approved: true, by: 'bob' }, world.now());
  }
  world.sleepUntil(window.start);
  await enterWindow(world.ports, { campaignId }, world.now());
  return world;
}

export async function dispatch(
  world: BareCampaign,
  batchId: string,
  phase: Phase,
  taskToken = `${batchId} ${phase}`,
): Promise<void> {
  await dispatchBatch(world.ports, { campaignId, batchId, phase, taskToken }, world.now());
}

/** Lets every server answer, and settles the phase. */
export async function settle(world: BareCampaign, batchId: string, phase: Phase): Promise<void> {
  await world.runCommand.answer();
  await settleRun(world.ports, { campaignId, batchId, phase }, world.now());
}

export async function carryOut(world: BareCampaign, batchId: string, phase: Phase): Promise<void> {
  await dispatch(world, batchId, phase);
  await settle(world, batchId, phase);
}

/** What the error budget of the campaign's policy and quarter holds. */
export function budgetOf(world: BareCampaign): Promise<BudgetEntry[]> {
  const budget = ['production', '2027-Q1'] as const;
  return listAll(world.ports.records, budgetEntries(...budget), budgetPartition(...budget), 'batch#');
}
