/** Owns firings in the stores: an item for each planned campaign of a quarter, and an object with its servers' windows. */
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { KeptWindow, PlannedWindow } from '../calendar/quarter-plan.ts';
import { type Entity, listAll } from '../entities.ts';
import { type Firing, firingSchema, latestLaunch } from '../firing.ts';
import type { Instant } from '../instant.ts';
import { inParallel } from '../parallel.ts';
import { sha256Of } from '../plan.ts';
import type { Objects, Ports, RecordKey, Records } from '../ports.ts';

const firingsPartition = (quarter: string) => `firings#${quarter}`;
export const firingKey = (quarter: string, campaignId: string): RecordKey => ({
  partition: firingsPartition(quarter),
  sort: campaignId,
});
export const firings: Entity<Firing> = {
  schema: firingSchema,
  key: ({ quarter, campaignId }) => firingKey(quarter, campaignId),
};

/** @param quarter its id, `2027-Q1` */
export function listFirings(records: Records, quarter: string): Promise<Firing[]> {
  return listAll(records, firings, firingsPartition(quarter), '');
}

/** What all windows of a campaign share is in its firing. */
const windowsSchema = z.object({
  schema: z.literal(1),
  windows: z.array(z.object({ server: z.string(), localStart: z.string(), reason: z.string() })),
});

interface WindowsObject {
  readonly key: string;
  readonly text: string;
}

/** @param windows of one campaign */
export function windowsObject(windows: readonly PlannedWindow[]): WindowsObject {
  const all = windows.map(({ server, localStart, reason }) => ({ server, localStart, reason }));
  const text = JSON.stringify({ schema: 1, windows: all });
  return { key: `calendar/windows/${sha256Of(text)}.json.gz`, text };
}

export async function putWindows(objects: Objects, { key, text }: WindowsObject): Promise<void> {
  await objects.put(key, gzipSync(text));
}

/** @throws Error when the object is not the one that was saved */
export async function loadWindows(
  objects: Objects,
  { campaignId, window: { start, end, zone }, windowsKey }: Firing,
): Promise<PlannedWindow[]> {
  const content = await objects.get(windowsKey);
  const text = content && gunzipSync(content).toString('utf8');
  if (text === undefined || `calendar/windows/${sha256Of(text)}.json.gz` !== windowsKey) {
    throw new Error(
      `the servers of ${campaignId}, ${windowsKey}, are not what the plan has saved: plan again`,
    );
  }
  const { windows } = windowsSchema.parse(JSON.parse(text));
  return windows.map((own) => ({ ...own, start, end, zone, campaign: campaignId }));
}

/** Whether a plan leaves its windows as they are: it was started, or can still be. */
export function isKept(firing: Firing, now: Instant): boolean {
  return firing.state === 'launched' || (isDue(firing, now) && now < latestLaunch(firing));
}

/** Whether it should have been started by now, and has not. */
export function isDue({ state, fireAt }: Firing, now: Instant): boolean {
  return (state === 'expected' || state === 'refused') && fireAt <= now;
}

/** The windows of a quarter that a plan must keep: hand them to it. */
export async function keptWindows(
  { objects }: Pick<Ports, 'objects'>,
  all: readonly Firing[],
  now: Instant,
): Promise<KeptWindow[]> {
  const kept = all.filter((firing) => isKept(firing, now));
  const windows = await inParallel(kept, 8, async (firing) => {
    const { lane } = firing;
    const own = await loadWindows(objects, firing);
    return lane ? own.map((window): KeptWindow => ({ ...window, lane })) : own;
  });
  return windows.flat();
}
