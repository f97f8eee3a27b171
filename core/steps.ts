/** Owns the names under which the state machine knows the use-cases: token of its definition to what runs. */
import type { Instant } from './instant.ts';
import type { Ports } from './ports.ts';
import { askApproval, askApprovalInput } from './use-cases/ask-approval.ts';
import { closeCampaign, closeCampaignInput } from './use-cases/close-campaign.ts';
import { dispatchBatch, dispatchBatchInput } from './use-cases/dispatch-batch.ts';
import { enterWindow, enterWindowInput } from './use-cases/enter-window.ts';
import { expireApproval, expireApprovalInput } from './use-cases/expire-approval.ts';
import { giveUpBatch, giveUpBatchInput } from './use-cases/give-up-batch.ts';
import { judgeWave, judgeWaveInput } from './use-cases/judge-wave.ts';
import { openCampaign, openCampaignInput } from './use-cases/open-campaign.ts';
import { sealCampaign, sealCampaignInput } from './use-cases/seal-campaign.ts';
import { snapshotBatch, snapshotBatchInput } from './use-cases/snapshot-batch.ts';

/** Takes what the state machine hands over, whatever it is, and returns what it goes on with. */
export type Step = (ports: Ports, payload: unknown, now: Instant) => Promise<unknown>;

export const steps = {
  'open-campaign': (ports, payload, now) => openCampaign(ports, openCampaignInput.parse(payload), now),
  'dispatch-batch': (ports, payload, now) => dispatchBatch(ports, dispatchBatchInput.parse(payload), now),
  'give-up-batch': (ports, payload, now) => giveUpBatch(ports, giveUpBatchInput.parse(payload), now),
  'seal-campaign': (ports, payload, now) => sealCampaign(ports, sealCampaignInput.parse(payload), now),
  'ask-approval': (ports, payload, now) => askApproval(ports, askApprovalInput.parse(payload), now),
  'expire-approval': (ports, payload, now) => expireApproval(ports, expireApprovalInput.parse(payload), now),
  'enter-window': (ports, payload, now) => enterWindow(ports, enterWindowInput.parse(payload), now),
  'snapshot-batch': (ports, payload, now) => snapshotBatch(ports, snapshotBatchInput.parse(payload), now),
  'judge-wave': (ports, payload, now) => judgeWave(ports, judgeWaveInput.parse(payload), now),
  'close-campaign': (ports, payload, now) => closeCampaign(ports, closeCampaignInput.parse(payload), now),
} satisfies Record<string, Step>;

export type StepName = keyof typeof steps;

/** Substitution token of the definition for a step: `open-campaign` is `OpenCampaignFunctionArn`. */
export function stepToken(step: StepName): string {
  const stem = step.split('-').map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`);
  return `${stem.join('')}FunctionArn`;
}
