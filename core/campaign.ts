/** Owns the campaign: the servers that share a window and a policy, and how far they have come. */
import * as z from 'zod';
import { phaseSeconds } from './document.ts';
import { type Instant, instantSchema, plusSeconds } from './instant.ts';
import { type Reason, reasonSchema } from './outcome.ts';
import { policySchema } from './policy.ts';
import { selectionSchema } from './selection.ts';
import { windowSchema } from './window.ts';

/** Also the job id on every server and part of execution and object names, hence short and plain. */
export const campaignIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{7,59}$/, 'is not a campaign id: 8 to 60 lower-case letters, digits and dashes');

export const campaignStateSchema = z.enum([
  'planned',
  'preparing',
  'sealed',
  'awaiting-approval',
  'patching',
  // ended
  'completed',
  'stopped',
  'denied',
  'missed',
  'nothing-to-do',
  'scanned',
  'broken',
]);
export type CampaignState = z.infer<typeof campaignStateSchema>;

const order: readonly CampaignState[] = ['planned', 'preparing', 'sealed', 'awaiting-approval', 'patching'];

export function isCampaignEnded(state: CampaignState): boolean {
  return !order.includes(state);
}

/** Unique id of the role of hybrid nodes: what IAM calls them by is this, a colon, and their own id. */
export const hybridRoleIdSchema = z
  .string()
  .regex(/^AROA[A-Z0-9]{12,60}$/, 'is not the unique id of a role: `aws iam get-role` says it, AROA…');

const pinSchema = z.object({ name: z.string(), version: z.string(), hash: z.string() });

export const campaignSchema = z.object({
  schema: z.literal(1),
  id: campaignIdSchema,
  /** The policy as it was when the campaign was made: a change of policy changes no campaign under way. */
  policy: policySchema,
  /** `2027-Q1`; with the policy it names the error budget that is shared. */
  quarter: z.string().regex(/^\d{4}-Q[1-9]$/, 'is not a quarter: write it like 2027-Q1'),
  window: windowSchema,
  /** Named updates, repositories, a release: where it is given, it narrows what the policy's mode means. */
  selection: selectionSchema.optional(),
  requestedBy: z.string().min(1).max(255),
  createdAt: instantSchema,
  state: campaignStateSchema,
  reason: reasonSchema.nullable(),
  /** Under it hybrid nodes write their results; without it none can. */
  hybridRoleId: hybridRoleIdSchema.optional(),
  /** JSON array of servers, in the bucket. */
  serversKey: z.string(),
  serverCount: z.number().int().nonnegative(),
  /** Whether some of its servers are bare metal: its window has to hold their restarts. */
  metal: z.literal(true).exactOptional(),
  /** By `account/region family phase`: what this campaign runs, whatever is deployed meanwhile. */
  documents: z.record(z.string(), pinSchema),
  seal: z
    .object({
      root: z.string(),
      at: instantSchema,
      ready: z.number().int(),
      waves: z.array(z.object({ servers: z.number().int(), batches: z.number().int(), key: z.string() })),
    })
    .nullable(),
  approval: z
    .object({
      root: z.string(),
      token: z.string(),
      askedAt: instantSchema,
      expiresAt: instantSchema,
      decision: z
        .object({
          approved: z.boolean(),
          by: z.string().min(1).max(255),
          at: instantSchema,
          reason: z.string().max(400),
        })
        .nullable(),
      answered: z.boolean(),
    })
    .nullable(),
  /** A person's order to dispatch nothing more. */
  stop: z
    .object({ by: z.string().min(1).max(255), at: instantSchema, reason: z.string().max(400) })
    .nullable(),
  /** When it was closed to the last; an ended campaign without it is closed again. */
  endedAt: instantSchema.nullable(),
});
export type Campaign = z.infer<typeof campaignSchema>;

/** The campaign in a later state, or undefined when it is there or past it already. */
export function advanceCampaign(campaign: Campaign, to: CampaignState): Campaign | undefined {
  if (isCampaignEnded(campaign.state)) return undefined;
  if (!isCampaignEnded(to) && order.indexOf(to) <= order.indexOf(campaign.state)) return undefined;
  return { ...campaign, state: to };
}

/** Beyond its window: time for the last soak and verification, and for the state machine's own retries. */
const closingSeconds = 4 * 3600;

/** Until when a rollback may begin. */
export function rollbackUntil({ window, policy }: Pick<Campaign, 'window' | 'policy'>): Instant {
  return plusSeconds(window.end, policy.rollback.graceSeconds);
}

/** When a campaign that has not ended has lost its execution: nobody else would close it. */
export function overdueAt({ window, policy, metal }: Pick<Campaign, 'window' | 'policy' | 'metal'>): Instant {
  const verified = policy.waves.soakSeconds + phaseSeconds({ policy }, 'verify');
  const rolledBack = policy.rollback.graceSeconds + phaseSeconds({ policy, metal }, 'rollback');
  return plusSeconds(window.end, Math.max(verified, rolledBack) + closingSeconds);
}

/** Why nothing more may be dispatched, whatever the window says. */
export function stoppedBy(campaign: Campaign): Reason | undefined {
  if (campaign.stop) {
    const { by, at, reason } = campaign.stop;
    return { code: 'stopped-by-hand', detail: `stopped at ${at} by ${by}: ${reason}`.slice(0, 400) };
  }
  if (isCampaignEnded(campaign.state)) {
    return { code: 'campaign-ended', detail: `the campaign has ended: ${campaign.state}` };
  }
  return undefined;
}

/** Why the sealed plans may not be carried out, or undefined when they may. A missing approval is a denial. */
export function notApproved(campaign: Campaign): Reason | undefined {
  if (campaign.seal === null)
    return { code: 'not-sealed', detail: 'the plans of this campaign are not sealed' };
  if (!campaign.policy.approval.required) return undefined;
  const decision = campaign.approval?.decision;
  if (!decision) return { code: 'not-approved', detail: 'nobody approved the sealed plans' };
  if (campaign.approval?.root !== campaign.seal.root) {
    return {
      code: 'approval-of-other-plans',
      detail: `the approval binds ${campaign.approval?.root}, the plans seal to ${campaign.seal.root}`,
    };
  }
  if (!decision.approved) {
    return {
      code: 'approval-denied',
      detail: `denied at ${decision.at} by ${decision.by}: ${decision.reason}`.slice(0, 400),
    };
  }
  return undefined;
}

/** Seconds for which an approval may be waited for: no longer than the policy says, nor than the window is of use. */
export function approvalSeconds(campaign: Campaign, secondsUntilTooLate: number): number {
  return Math.max(1, Math.floor(Math.min(campaign.policy.approval.timeoutSeconds, secondsUntilTooLate)));
}
