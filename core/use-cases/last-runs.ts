/** Finds when servers were patched last: in which started campaign, and how that ended for them. */
import { jobKey, jobs, parseRecord } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import type { JobState } from '../job.ts';
import { inParallel } from '../parallel.ts';
import type { Ports } from '../ports.ts';
import { previousQuarter, type QuarterCalendar, quarterOfDay } from '../quarter.ts';
import { listFirings, loadWindows } from './firings.ts';

export interface LastRun {
  readonly campaign: string;
  /** ISO 8601 with the offset that held then. */
  readonly localStart: string;
}

export interface LastOutcome extends LastRun {
  /** Absent where there is no job of it: the instance id was another one then. */
  readonly state?: JobState;
  /** Why the state is what it is. */
  readonly reason?: string;
}

/** By name in lower case, of the quarter that it is and the one before. */
export async function lastRuns(
  ports: Pick<Ports, 'records' | 'objects'>,
  quarters: QuarterCalendar,
  now: Instant,
): Promise<ReadonlyMap<string, LastRun>> {
  const current = quarterOfDay(now.slice(0, 10), quarters);
  const both = await Promise.all(
    [current, previousQuarter(current, quarters)].map(({ id }) => listFirings(ports.records, id)),
  );
  const begun = both
    .flat()
    .filter(({ state, window }) => state === 'launched' && window.start <= now)
    .toSorted((a, b) => (a.window.start < b.window.start ? -1 : 1));
  const last = new Map<string, LastRun>();
  for (const windows of await inParallel(begun, 8, (firing) => loadWindows(ports.objects, firing))) {
    for (const { server, campaign, localStart } of windows)
      last.set(server.toLowerCase(), { campaign, localStart });
  }
  return last;
}

export async function lastOutcome(
  { records }: Pick<Ports, 'records'>,
  { instanceId }: Pick<StoredServer, 'instanceId'>,
  run: LastRun,
): Promise<LastOutcome> {
  const record = instanceId === undefined ? undefined : await records.get(jobKey(run.campaign, instanceId));
  if (record === undefined) return run;
  const { state, reasons } = parseRecord(jobs, record);
  return { ...run, state, ...(reasons[0] && { reason: reasons[0].detail }) };
}
