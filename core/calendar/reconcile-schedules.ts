/** Owns how the schedules that are there become those that the plan expects: what is made, moved, deleted, and why. */
import { type Instant, plusSeconds } from '../instant.ts';
import type { OneTimeSchedule } from '../ports.ts';
import { compare } from './ledger.ts';

export interface ScheduleChanges {
  readonly create: readonly (OneTimeSchedule & { readonly reason: string })[];
  readonly move: readonly (OneTimeSchedule & { readonly from: Instant; readonly reason: string })[];
  readonly delete: readonly { readonly name: string; readonly reason: string }[];
  /** Names of those that are as they should be. */
  readonly keep: readonly string[];
  /** Expected, and too late for a schedule: whoever reconciles starts these, or says why not. */
  readonly due: readonly OneTimeSchedule[];
}

/** A schedule is made by a call, and fires within a minute: nearer than this, its time may have passed meanwhile. */
const marginSeconds = 120;

/**
 * Each list comes in the order of names. Doing what it says and asking again changes nothing.
 *
 * @param expected each name once
 */
export function reconcileSchedules(
  expected: readonly OneTimeSchedule[],
  present: readonly OneTimeSchedule[],
  now: Instant,
): ScheduleChanges {
  const there = new Map(present.map((schedule) => [schedule.name, schedule]));
  const wanted = new Set(expected.map(({ name }) => name));
  const soon = plusSeconds(now, marginSeconds);
  const changes = {
    create: [] as ScheduleChanges['create'][number][],
    move: [] as ScheduleChanges['move'][number][],
    delete: [] as ScheduleChanges['delete'][number][],
    keep: [] as string[],
    due: [] as OneTimeSchedule[],
  };
  for (const schedule of expected.toSorted(byName)) {
    const own = there.get(schedule.name);
    if (schedule.at <= soon) {
      changes.due.push(schedule);
      // One that fires for the right moment is left to fire; one for another would come when nobody waits for it.
      if (own && own.at > soon) changes.delete.push({ name: own.name, reason: `${schedule.at} is due now` });
    } else if (own === undefined) {
      changes.create.push({ ...schedule, reason: `the plan expects ${schedule.at}` });
    } else if (own.at !== schedule.at) {
      const reason = `the plan expects ${schedule.at} in place of ${own.at}`;
      changes.move.push({ ...schedule, from: own.at, reason });
    } else if (!isSame(own.input, schedule.input)) {
      changes.move.push({ ...schedule, from: own.at, reason: 'it would tell its target something else' });
    } else changes.keep.push(schedule.name);
  }
  for (const { name, at } of present.toSorted(byName)) {
    if (!wanted.has(name))
      changes.delete.push({ name, reason: `the plan has nothing of that name at ${at}` });
  }
  return { ...changes, delete: changes.delete.toSorted(byName) };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) => compare(a.name, b.name);

/** As JSON: one of the two has been to the service and back. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => compare(a, b)))
      : item,
  );
}
