/** Owns the answers of this machine: the use-cases that functions on AWS call, on a state of its own. */
import type * as z from 'zod';
import type { PlanningCalendar } from '../../core/calendar/planning-calendar.ts';
import { type Backend, type CallName, Refused } from '../../core/calls.ts';
import type { Instant } from '../../core/instant.ts';
import { importServers, importServersInput } from '../../core/use-cases/import-servers.ts';
import { planNow } from '../../core/use-cases/open-windows.ts';
import { loadFleet } from '../../core/use-cases/plan-stored-quarter.ts';
import { publishFeeds } from '../../core/use-cases/publish-feeds.ts';
import { setSchedule, setScheduleInput } from '../../core/use-cases/set-schedule.ts';
import { showCalendar, showCalendarInput } from '../../core/use-cases/show-calendar.ts';
import type { StoredState } from '../local/stored-state.ts';

export function createLocalBackend(state: StoredState, calendar: PlanningCalendar, now: Instant): Backend {
  const publish = async () => {
    const fleet = await loadFleet(state);
    return publishFeeds(state, await planNow(state, fleet, calendar, now), fleet.inventory.servers, now);
  };
  const answers: Partial<Record<CallName, (input: unknown) => Promise<unknown>>> = {
    'import-servers': (input) => importServers(state, calendar, readAsked(importServersInput, input), now),
    'set-schedule': (input) => setSchedule(state, calendar, readAsked(setScheduleInput, input), now),
    async 'show-calendar'(input) {
      const asked = readAsked(showCalendarInput, input);
      if (asked.view === 'feed') await publish();
      return showCalendar(state, calendar, asked, now);
    },
    // Nothing here starts campaigns, and feeds are made when somebody asks for one.
    'plan-schedules': async () => null,
  };
  return {
    async call(name, input) {
      const answer = answers[name];
      if (answer === undefined) throw new Refused('no-aws', 'what this asks for is on AWS alone: add --aws');
      return answer(input);
    },
    close: () => state.close(),
  };
}

/** @throws Refused, as functions on AWS refuse what they do not understand */
function readAsked<T>(schema: z.ZodType<T>, input: unknown): T {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Refused('invalid-input', problems.join('; '));
}
