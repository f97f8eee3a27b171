/** Compares the campaigns that should have started with those that have, and the schedules that are there with the plan. */
import { planningCalendar } from '../calendar/planning-calendar.ts';
import { reconcileSchedules } from '../calendar/reconcile-schedules.ts';
import { lateAfter, scheduleOf } from '../firing.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import type { OneTimeSchedules } from '../ports.ts';
import type { Settings } from '../settings.ts';
import { workDone } from './daily-work.ts';
import { listFirings } from './firings.ts';
import { type LaunchPorts, launchCampaign } from './launch-campaign.ts';
import { quartersAround } from './reconcile-plan.ts';

export interface CheckedFirings {
  /** Firings that should have been. */
  readonly due: number;
  /** Started by this check, while their windows were still ahead. */
  readonly startedLate: readonly string[];
  readonly notStarted: readonly { readonly campaignId: string; readonly reason: Reason }[];
  /** Expected campaigns whose schedule is not there or is another; the next planning makes it. */
  readonly unscheduled: readonly string[];
}

/** Firings of windows that are longer past than this were looked at by checks before. */
const lookBack = 7 * 86_400;

export async function checkFirings(
  ports: LaunchPorts & { readonly schedules: Pick<OneTimeSchedules, 'list'> },
  settings: Settings,
  now: Instant,
): Promise<CheckedFirings> {
  const calendar = planningCalendar(settings.calendar, settings.policies);
  // A quarter that is over may have ended with a campaign that did not start.
  const ids = new Set(
    [plusSeconds(now, -lookBack), now].flatMap((at) => quartersAround(at, calendar).map(({ id }) => id)),
  );
  const all = (await Promise.all([...ids].map((id) => listFirings(ports.records, id)))).flat();
  const open = all.filter(({ state }) => state === 'expected' || state === 'refused');
  const due = open.filter((firing) => lateAfter(firing) <= now);
  const startedLate: string[] = [];
  const notStarted: { campaignId: string; reason: Reason }[] = [];
  for (const { campaignId, quarter } of due) {
    try {
      const launch = await launchCampaign(ports, settings, { campaignId, quarter }, now);
      if (launch.started) startedLate.push(campaignId);
      else notStarted.push(launch);
    } catch (error) {
      notStarted.push({ campaignId, reason: { code: 'launch-failed', detail: String(error).slice(0, 400) } });
    }
  }
  const ahead = open.filter((firing) => lateAfter(firing) > now).map(scheduleOf);
  const { create, move } = reconcileSchedules(ahead, await ports.schedules.list(), now);
  await workDone(ports, 'check-firings', now);
  return {
    due: due.length,
    startedLate,
    notStarted,
    unscheduled: [...create, ...move].map(({ name }) => name),
  };
}
