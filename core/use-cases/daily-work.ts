/** Owns when the work of each day was last done, so that people hear of it when it falls silent. */
import * as z from 'zod';
import { create, type Entity, parseRecord, update } from '../entities.ts';
import { type Instant, instantSchema, plusSeconds } from '../instant.ts';
import type { Ports, RecordKey } from '../ports.ts';

/** Functions that a schedule calls once a day, and without which campaigns do not start. */
const dailyWork = ['plan-schedules', 'check-firings'] as const;
type DailyWork = (typeof dailyWork)[number];

const workKey = (name: DailyWork): RecordKey => ({ partition: 'daily-work', sort: name });
const workSchema = z.object({
  schema: z.literal(1),
  name: z.enum(dailyWork),
  /** When it was last done to its end; before the first time, when somebody first looked. */
  at: instantSchema,
});
type Work = z.infer<typeof workSchema>;
const works: Entity<Work> = { schema: workSchema, key: ({ name }) => workKey(name) };

/** A day, an hour in which Scheduler tries to call it, another in which Lambda does, and one for good measure. */
const silentAfter = 27 * 3600;

export async function workDone(
  { records }: Pick<Ports, 'records'>,
  name: DailyWork,
  now: Instant,
): Promise<void> {
  if (await create<Work>(records, works, { schema: 1, name, at: now })) return;
  await update(records, works, workKey(name), (current) =>
    current.at < now ? { ...current, at: now } : undefined,
  );
}

/**
 * What has not been done for more than a day. After a deployment nothing has been done yet: from then on it has its day,
 * too.
 */
export async function silentWork(
  { records }: Pick<Ports, 'records'>,
  now: Instant,
): Promise<{ readonly name: DailyWork; readonly since: Instant }[]> {
  const found = await records.getMany(dailyWork.map(workKey));
  const silent: { name: DailyWork; since: Instant }[] = [];
  for (const [index, name] of dailyWork.entries()) {
    const record = found[index];
    if (record === undefined) {
      await create<Work>(records, works, { schema: 1, name, at: now });
      continue;
    }
    const { at } = parseRecord(works, record);
    if (plusSeconds(at, silentAfter) < now) silent.push({ name, since: at });
  }
  return silent;
}
