/** Owns `quarterdeck plan`: a server list, or what is stored, in; the plan of a quarter out. */
import type { CalendarPolicy } from '../../core/calendar/calendar-policy.ts';
import { dayMillis, dayNumber } from '../../core/calendar/civil-day.ts';
import { freezeOver, frozenSpans } from '../../core/calendar/closed-spans.ts';
import type { QuarterPlan } from '../../core/calendar/quarter-plan.ts';
import { planInTurn } from '../../core/calendar/quarters-in-turn.ts';
import type { Freeze } from '../../core/calendar/team-calendar.ts';
import { createZoneClocks } from '../../core/calendar/zone-clock.ts';
import { Refused } from '../../core/calls.ts';
import { type Inventory, type InventoryError, readInventory } from '../../core/inventory/read-inventory.ts';
import { type Quarter, QuarterError, quarterAsked } from '../../core/quarter.ts';
import type { ShownPlan } from '../../core/use-cases/show-calendar.ts';
import { visibleLines, visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import type { PlanArguments } from './asked.ts';
import { readConfiguration } from './configuration-file.ts';
import { quarterCalendar } from './quarter-calendar.ts';
import { rowText } from './servers-command.ts';
import { exitCodes, type World, withBackend } from './world.ts';

/** As a row of a list has it; what is wrong elsewhere has neither row nor column. */
type PlanError = { readonly row: number | null; readonly column: string | null; readonly message: string };

interface Read {
  readonly shown?: Pick<ShownPlan, 'plan' | 'policies' | 'freezes'>;
  readonly quarter?: Quarter;
  readonly errors: readonly PlanError[];
  readonly skipped?: Inventory['skipped'];
}

export async function runPlan(asked: PlanArguments, world: World): Promise<number> {
  const { servers } = asked;
  const read = servers === undefined ? await planStored(asked, world) : planList(asked, servers, world);
  const { shown, quarter = shown?.plan.quarter, errors, skipped = [] } = read;
  const { windows = [], conflicts = [] } = shown?.plan ?? {};
  if (asked.json) {
    const json = { quarter: quarter ?? null, windows, conflicts, errors };
    world.out(`${JSON.stringify({ ...json, ...(asked.skipBadRows && { skipped }) })}\n`);
  } else {
    for (const { name, errors: own } of skipped) {
      for (const error of own)
        world.note(errorText(servers, error, `skipped ${visibleText(name) || 'a row'}: `));
    }
    for (const error of errors) world.note(errorText(servers, error));
    if (shown) world.out(calendarText(shown, asked, world));
  }
  if (errors.length > 0) return exitCodes.refused;
  return conflicts.length > 0 ? exitCodes.conflicts : exitCodes.done;
}

async function planStored(asked: PlanArguments, world: World): Promise<Read> {
  try {
    const shown = (await withBackend(asked, world, (backend) =>
      backend.call('show-calendar', { view: 'plan', quarter: asked.quarter }),
    )) as ShownPlan;
    if (shown.servers > 0) return { shown, errors: [] };
    const message =
      'no servers are stored: import a list, quarterdeck servers import FILE, or plan one, --servers FILE';
    return { quarter: shown.plan.quarter, errors: [whole(message)] };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const option = error.code === 'no-quarter' ? '--quarter ' : '';
    return { errors: [whole(`${option}${error.message}`)] };
  }
}

function planList(asked: PlanArguments, servers: string, world: World): Read {
  const now = asked.now ?? world.now;
  const settings = readConfiguration(asked.config, world, false);
  if ('problems' in settings) return { errors: settings.problems.map(whole) };
  const { calendar } = settings;
  const { quarters, freezes } = calendar;
  let quarter: Quarter;
  try {
    quarter = quarterAsked(asked.quarter, now, quarters);
  } catch (error) {
    if (!(error instanceof QuarterError)) throw error;
    return { errors: [whole(`--quarter ${error.message}`)] };
  }
  let text: string;
  try {
    text = world.readList(servers);
  } catch (error) {
    const message = `--servers ${JSON.stringify(servers)} can not be read: ${(error as Error).message}`;
    return { quarter, errors: [whole(message)] };
  }
  const inventory = readInventory(text, { now, quarters, skipBadRows: asked.skipBadRows });
  for (const { header, near } of inventory.unknownColumns) {
    const meant = near === undefined ? '' : `: did you mean ${near}?`;
    world.note(`${servers}: column ${visibleText(header)} means nothing to the plan${meant}\n`);
  }
  const { errors, skipped } = inventory;
  if (errors.length > 0) return { quarter, skipped, errors };
  if (inventory.servers.length === 0 && skipped.length > 0)
    return { quarter, skipped, errors: [whole('there is nothing to plan: no row of the list is right')] };
  const plan = planInTurn({ ...calendar, quarter, servers: inventory.servers, now });
  return { shown: { plan, policies: [...calendar.policies.values()], freezes }, skipped, errors };
}

function whole(message: string): PlanError {
  return { row: null, column: null, message };
}

function calendarText(
  {
    plan,
    policies,
    freezes,
  }: { plan: QuarterPlan; policies: readonly CalendarPolicy[]; freezes: readonly Freeze[] },
  { reasons }: PlanArguments,
  { columns, colour }: World,
): string {
  const { firstDay, lastDay } = plan.quarter;
  const days = { first: dayNumber(firstDay), last: dayNumber(lastDay) };
  const clockOf = createZoneClocks();
  const used = new Set(plan.campaigns.map(({ policy }) => policy));
  const shown = policies.filter(({ name }) => used.has(name));
  const frozen = new Map(shown.map(({ name }) => [name, frozenSpans(freezes, name, 'UTC', clockOf, days)]));
  return quarterCalendar(plan, {
    columns,
    paint: painter(colour),
    policies: shown,
    reasons,
    closedOn(day, environment) {
      const start = day * dayMillis;
      return freezeOver(frozen.get(environment) ?? [], { start, end: start + dayMillis })?.reason;
    },
  });
}

function errorText(file = '', { row, column, message }: PlanError | InventoryError, before = ''): string {
  if (row === null) return `${visibleLines(message)}\n`;
  return rowText(file, { row, column: column ?? '', message }, before);
}
