/** Owns placing what people set: a date for the quarter, or a cron expression. */
import type { QuarterCalendar } from '../quarter.ts';
import { isInQuarter, quarterOfDay } from '../quarter.ts';
import { allowedMinutes } from './calendar-policy.ts';
import { dayNumber, minutesOf } from './civil-day.ts';
import { CronError } from './cron.ts';
import { type Links, whyTooEarly } from './dependencies.ts';
import type { Ledger } from './ledger.ts';
import { localOf } from './local-time.ts';
import type { Place, Planning } from './places.ts';
import type { ScheduleRule } from './schedule.ts';
import type { QuarterColumn, ServerToPlan } from './server-to-plan.ts';
import type { Problem, SetDate } from './set-dates.ts';
import { overlaps, type Slot } from './slots.ts';

export interface SetSurroundings {
  readonly quarters: QuarterCalendar;
  readonly links: Links;
  readonly ledger: Ledger;
}

type Dates = Extract<ScheduleRule, { kind: 'dates' }>['dates'];

/** @returns false when no date is set for the quarter, so that the policy decides */
export function placeDate({ server, place }: Planning, dates: Dates, around: SetSurroundings): boolean {
  const { quarters, ledger } = around;
  const { quarter, policy } = place;
  const column: QuarterColumn = `Q${quarter.number as 1 | 2 | 3 | 4}`;
  const misplaced = Object.entries(dates).find(
    ([other, given]) => other !== column && given?.date !== undefined && isInQuarter(quarter, given.date),
  );
  if (misplaced) {
    const message = `the date of ${misplaced[0]}, ${misplaced[1]?.date}, is in ${quarter.id}: move it to ${column}`;
    ledger.refuse(server, 'wrong-quarter', message);
    return true;
  }
  const given = dates[column];
  if (given?.date === undefined) {
    if (approvalOf(given?.approval) !== 'denied') return false;
    const message = `${column} was not approved and has no date: set one that is, or empty the cell of the approval`;
    ledger.refuse(server, 'not-approved', message);
    return true;
  }
  if (!isInQuarter(quarter, given.date)) {
    const of = quarterOfDay(given.date, quarters);
    // What was planned for a quarter that is over is history, and that of the year before may still be to come.
    const isEarlier = of.number === quarter.number && of.lastDay < quarter.firstDay;
    if (isEarlier || dayNumber(of.lastDay) < localOf(place.clock, place.now).day) return false;
    const message = `the date of ${column}, ${given.date}, is in ${of.id} and not in ${quarter.id}: set one from ${quarter.firstDay} to ${quarter.lastDay}`;
    ledger.refuse(server, 'wrong-quarter', message);
    return true;
  }
  const minutes = given.time === undefined ? allowedMinutes(policy).from : minutesOf(given.time);
  const date = place.judge(dayNumber(given.date), minutes);
  if (ledger.windowsOf(server).some(({ start }) => start === date.slot.start)) return true;
  const reason = `set for ${column}: ${given.date}${given.time === undefined ? '' : ` ${given.time}`}`;
  const verdict = consider(server, place, date, approvalOf(given.approval), around);
  if (verdict.length === 0) {
    const outside =
      date.outside === undefined
        ? ''
        : `; ${date.outside}, ${policy.explicitDates === 'honour' ? 'honoured' : 'approved'}`;
    ledger.add(server, date.slot, place.clock.zone, `${reason}${date.slot.notes}${outside}${date.remarks}`);
  }
  for (const { code, message } of verdict) ledger.refuse(server, code, message);
  return true;
}

/** Every run of the quarter that is still to come; what is wrong is told once, with how many runs it concerns. */
export function placeCron({ server, place }: Planning, expression: string, around: SetSurroundings): void {
  const { ledger } = around;
  let runs: ReturnType<typeof place.runsOf>;
  try {
    runs = place.runsOf(expression);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    ledger.refuse(server, 'invalid-schedule', error.message);
    return;
  }
  const { cron, dates } = runs;
  if (cron.times.length > 1) {
    const message = `cron ${cron.text} runs ${cron.times.length} times a day: name one minute and one hour`;
    ledger.refuse(server, 'invalid-schedule', message);
    return;
  }
  const words = cron.eitherDay ? `${cron.text} (either the day of month or the weekday)` : cron.text;
  const problems = new Map<string, { problem: Problem; count: number }>();
  for (const date of dates) {
    if (ledger.windowsOf(server).some(({ start }) => start === date.slot.start)) continue;
    const verdict = consider(server, place, date, 'of dates alone', around);
    if (verdict.length === 0) {
      const { slot, remarks, outside } = date;
      const honoured = outside === undefined ? '' : `; ${outside}, honoured`;
      ledger.add(
        server,
        slot,
        place.clock.zone,
        `cron ${words}: ${slot.words}${slot.notes}${honoured}${remarks}`,
      );
    }
    for (const problem of verdict) {
      const seen = problems.get(problem.code);
      if (seen) seen.count++;
      else problems.set(problem.code, { problem, count: 1 });
    }
  }
  for (const { problem, count } of problems.values()) {
    const message = `cron ${words}: ${count} of ${dates.length} runs are left out, the first as ${problem.message}`;
    ledger.refuse(server, problem.code, message);
  }
}

type Approval = 'given' | 'denied' | 'none';

function consider(
  server: ServerToPlan,
  { policy }: Place,
  { slot, outside, problems }: SetDate,
  approval: Approval | 'of dates alone',
  { ledger, links }: SetSurroundings,
): readonly Problem[] {
  if (approval === 'denied') {
    const message = `the date ${slot.words} was not approved: have it approved, or set another`;
    return [{ code: 'not-approved', message }];
  }
  const found = [...problems];
  if (outside !== undefined && policy.explicitDates !== 'honour') {
    if (policy.explicitDates === 'refuse' || approval !== 'given') {
      const asked =
        approval === 'of dates alone'
          ? 'change the expression, or set a date, which can be approved'
          : 'have it approved, or set another';
      const mend = policy.explicitDates === 'refuse' ? 'set another' : asked;
      found.push({ code: 'outside-allowed-hours', message: `${slot.words} is ${outside}: ${mend}` });
    }
  }
  if (found.length > 0) return found;
  const begun = ledger.securityOf(server).find((own) => overlaps(own, slot));
  if (begun) {
    const message = `its campaign of the security lane has been started for then (${begun.words}): set another date`;
    return [{ code: 'no-room', message }];
  }
  const problem =
    clashProblem(server, slot, ledger) ??
    whyTooEarly(server, slot, ledger.windowsOf(server).length, links, ledger);
  if (problem) return [{ ...problem, message: `${problem.message}: set another date` }];
  if (policy.serversPerWindow !== undefined && ledger.countOf(slot) >= policy.serversPerWindow) {
    const full = fullProblem(slot, policy.serversPerWindow);
    return [{ ...full, message: `${full.message}: set another date` }];
  }
  return [];
}

export function fullProblem(slot: Slot, most: number): Problem {
  const servers = most === 1 ? '1 server' : `${most} servers`;
  return { code: 'window-full', message: `the window of ${slot.words} has ${servers} already` };
}

export function clashProblem(server: ServerToPlan, slot: Slot, ledger: Ledger): Problem | undefined {
  const clash = ledger.clash(server, slot);
  return (
    clash && {
      code: 'same-ha-group',
      message: `${clash.server} of HA group ${clash.group} is patched then (${slot.words})`,
    }
  );
}

function approvalOf(approval = ''): Approval {
  const word = approval.trim().toLowerCase();
  if (/^(approved?|yes|granted|ok)$/.test(word)) return 'given';
  return /^(reject(ed)?|den(ied|y)|declined?|no|refused?|not approved|disapproved)$/.test(word)
    ? 'denied'
    : 'none';
}
