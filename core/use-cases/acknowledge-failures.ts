/** Lets the campaigns of a policy and quarter go on after a person has looked at their failures. */
import * as z from 'zod';
import { acknowledgementKey, acknowledgements, create, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Ports } from '../ports.ts';

export const acknowledgeFailuresInput = z.object({
  policy: z.string(),
  quarter: z.string(),
  by: z.string().min(1).max(255),
  reason: z.string().min(1).max(400),
});

/** Failures up to now no longer count in the error budget; those that follow do. */
export async function acknowledgeFailures(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof acknowledgeFailuresInput>,
  now: Instant,
): Promise<void> {
  const { policy, quarter, by, reason } = acknowledgeFailuresInput.parse(input);
  const entity = acknowledgements(policy, quarter);
  const acknowledgement = { schema: 1 as const, at: now, by, reason };
  if (await create(ports.records, entity, acknowledgement)) return;
  await update(ports.records, entity, acknowledgementKey(policy, quarter), (current) =>
    current.at < now ? acknowledgement : undefined,
  );
}
