/** Owns the switch that keeps everything from being dispatched; whoever can not read it takes it for on. */
import * as z from 'zod';
import { Refused } from '../calls.ts';
import { create, type Entity, update } from '../entities.ts';
import { type Instant, instantSchema } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import type { Ports, RecordKey, StoredRecord } from '../ports.ts';

const changeSchema = z.object({
  by: z.string().min(1).max(255),
  at: instantSchema,
  reason: z.string().min(1).max(300),
});

const switchSchema = z.object({
  schema: z.literal(1),
  paused: z.boolean(),
  ...changeSchema.shape,
});
type PauseSwitch = z.infer<typeof switchSchema>;

const switchKey: RecordKey = { partition: 'pause', sort: 'switch' };
const switches: Entity<PauseSwitch> = { schema: switchSchema, key: () => switchKey };

export const pauseInput = changeSchema.omit({ at: true });

/**
 * From then on nothing is launched or dispatched but what sees through what was patched: verification, and the way back.
 * What runs on servers runs on: it would be worse to end it half way.
 */
export async function pauseAll(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof pauseInput>,
  now: Instant,
): Promise<void> {
  await turn(ports, { schema: 1, paused: true, at: now, ...pauseInput.parse(input) });
}

/** Campaigns that wait for it go on, if their windows still have room; launches that were due come with the next planning. */
export async function resumeAll(
  ports: Pick<Ports, 'records'>,
  input: z.input<typeof pauseInput>,
  now: Instant,
): Promise<void> {
  await turn(ports, { schema: 1, paused: false, at: now, ...pauseInput.parse(input) });
}

async function turn({ records }: Pick<Ports, 'records'>, wanted: PauseSwitch): Promise<void> {
  if (await create(records, switches, wanted)) return;
  // Not by what is stored: one that can not be read must be turned all the same.
  const anything: Entity<PauseSwitch> = { ...switches, schema: z.custom<PauseSwitch>() };
  await update(records, anything, switchKey, () => wanted);
}

/**
 * Why nothing may be dispatched now, or undefined. A switch that nobody ever touched is off.
 *
 * @throws when the store does not answer: whoever asks dispatches nothing then, and asks again
 */
export async function pausedBy({ records }: Pick<Ports, 'records'>): Promise<Reason | undefined> {
  const record = await records.get(switchKey);
  return record && pauseReason(record);
}

/** @throws Refused for a person who asks for something that servers would be sent */
export async function refuseWhilePaused(ports: Pick<Ports, 'records'>): Promise<void> {
  const paused = await pausedBy(ports);
  if (paused) throw new Refused('paused', `${paused.detail}: resume before servers are sent anything`);
}

/** What was patched is always looked at, and goes back where it is not well: half way would be worse than either. */
export async function pausedFor(ports: Pick<Ports, 'records'>, phase: Phase): Promise<Reason | undefined> {
  return phase === 'verify' || phase === 'rollback' ? undefined : pausedBy(ports);
}

function pauseReason({ body }: StoredRecord): Reason | undefined {
  const parsed = switchSchema.safeParse(body);
  if (!parsed.success) {
    const detail =
      'the switch that pauses everything can not be read, so it counts as on: resume or pause again';
    return { code: 'pause-unreadable', detail };
  }
  const { paused, by, at, reason } = parsed.data;
  if (!paused) return undefined;
  return { code: 'paused', detail: `everything is paused since ${at} by ${by}: ${reason}`.slice(0, 400) };
}
