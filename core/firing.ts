/** Owns the firing: when a planned campaign is to be started, and what became of that. */
import * as z from 'zod';
import { campaignIdSchema, campaignSchema } from './campaign.ts';
import { type Instant, instantSchema, plusSeconds } from './instant.ts';
import { reasonSchema } from './outcome.ts';
import type { OneTimeSchedule } from './ports.ts';
import { windowSchema } from './window.ts';

export const firingSchema = z.object({
  schema: z.literal(1),
  /** Also the name of its schedule and of the campaign's execution: made of policy, quarter, window and zone. */
  campaignId: campaignIdSchema,
  /** The environment whose policy holds. */
  policy: z.string(),
  /** For security updates alone, between the windows of the cadence; absent for these. */
  lane: z.literal('security').exactOptional(),
  quarter: campaignSchema.shape.quarter,
  window: windowSchema,
  /** The lead time of the policy before the window. */
  fireAt: instantSchema,
  /** Object with the windows of its servers. */
  windowsKey: z.string(),
  servers: z.number().int().nonnegative(),
  /** When the plan was made that says so. */
  plannedAt: instantSchema,
  /**
   * `withdrawn`: the plan has nothing of the kind any more. `missed`: its window began and it had not been started.
   * `refused`: it was to be started, and no campaign can be made of it as things are; each planning tries again.
   */
  state: z.enum(['expected', 'launched', 'withdrawn', 'missed', 'refused']),
  /** Why it is not started; of one that is, why it was late. */
  reason: reasonSchema.nullable(),
  launchedAt: instantSchema.nullable(),
});
export type Firing = z.infer<typeof firingSchema>;

/** What its schedule tells the function that starts campaigns. */
export const firingInputSchema = z.object({
  campaignId: campaignIdSchema,
  quarter: campaignSchema.shape.quarter,
});
type FiringInput = z.infer<typeof firingInputSchema>;

/** A schedule fires within a minute, and a busy target is called again after some. */
const graceSeconds = 900;

/** From then on a start is late, and says so. */
export function lateAfter({ fireAt }: Pick<Firing, 'fireAt'>): Instant {
  return plusSeconds(fireAt, graceSeconds);
}

/** A campaign is not started into its window; where the policy leaves no lead time, that means shortly after. */
export function latestLaunch({ fireAt, window }: Pick<Firing, 'fireAt' | 'window'>): Instant {
  const latest = lateAfter({ fireAt });
  return fireAt < window.start ? window.start : latest;
}

export function scheduleOf({ campaignId, quarter, fireAt }: Firing): OneTimeSchedule {
  return { name: campaignId, at: fireAt, input: { campaignId, quarter } satisfies FiringInput };
}
