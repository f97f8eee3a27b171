/** Owns `quarterdeck plan`: a server list in, the plan of a quarter out. */

import { dayMillis, dayNumber } from '../../core/calendar/civil-day.ts';
import { freezeOver, frozenSpans } from '../../core/calendar/closed-spans.ts';
import { planQuarter } from '../../core/calendar/plan-quarter.ts';
import {
  defaultCalendar,
  type PlanningCalendar,
  planningCalendar,
} from '../../core/calendar/planning-calendar.ts';
import type { QuarterPlan } from '../../core/calendar/quarter-plan.ts';
import { createZoneClocks } from '../../core/calendar/zone-clock.ts';
import { parseConfiguration, problemText } from '../../core/configuration.ts';
import { type Inventory, type InventoryError, readInventory } from '../../core/inventory/read-inventory.ts';
import { type Quarter, QuarterError, quarterAsked } from '../../core/quarter.ts';
import { visibleLines, visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import type { PlanArguments } from './arguments.ts';
import { quarterCalendar } from './quarter-calendar.ts';

export interface World {
  readText(path: string): string;
  exists(path: string): boolean;
  /** Of this machine's clock. */
  readonly now: string;
  out(text: string): unknown;
  note(text: string): unknown;
  /** Of the terminal. */
  readonly columns: number;
  readonly colour: boolean;
}

const exitCodes = { planned: 0, errors: 1, conflicts: 4 } as const;

/** As a row of a list has it; what is wrong elsewhere has neither row nor column. */
type PlanError = { readonly row: number | null; readonly column: string | null; readonly message: string };

interface Read {
  readonly plan: QuarterPlan | undefined;
  readonly calendar: PlanningCalendar;
  readonly quarter: Quarter | undefined;
  readonly errors: readonly PlanError[];
  readonly skipped: Inventory['skipped'];
}

const defaultConfig = 'quarterdeck.yaml';

export function runPlan(asked: PlanArguments, world: World): number {
  const { plan, calendar, quarter, errors, skipped } = planFor(asked, world);
  if (asked.json) {
    const { windows = [], conflicts = [] } = plan ?? {};
    const shown = {
      quarter: quarter ?? null,
      windows,
      conflicts,
      errors,
      ...(asked.skipBadRows && { skipped }),
    };
    world.out(`${JSON.stringify(shown)}\n`);
  } else {
    for (const { name, errors: own } of skipped) {
      for (const error of own)
        world.note(errorText(asked.servers, error, `skipped ${visibleText(name) || 'a row'}: `));
    }
    for (const error of errors) world.note(errorText(asked.servers, error));
    if (plan) world.out(calendarText(plan, calendar, asked, world));
  }
  if (errors.length > 0) return exitCodes.errors;
  return plan && plan.conflicts.length > 0 ? exitCodes.conflicts : exitCodes.planned;
}

function planFor(asked: PlanArguments, world: World): Read {
  const now = asked.now ?? world.now;
  const nothing = { plan: undefined, calendar: defaultCalendar, quarter: undefined, skipped: [] };
  const settings = calendarOf(asked, world);
  if ('errors' in settings) return { ...nothing, errors: settings.errors };
  const { calendar } = settings;
  let quarter: Quarter;
  try {
    quarter = quarterAsked(asked.quarter, now, calendar.quarters);
  } catch (error) {
    if (!(error instanceof QuarterError)) throw error;
    return { ...nothing, calendar, errors: [whole(`--quarter ${error.message}`)] };
  }
  const list = textOf(asked.servers, '--servers', world);
  if ('problem' in list) return { ...nothing, calendar, quarter, errors: [whole(list.problem)] };
  const { quarters } = calendar;
  const inventory = readInventory(list.text, { now, quarters, skipBadRows: asked.skipBadRows });
  for (const { header, near } of inventory.unknownColumns) {
    const meant = near === undefined ? '' : `: did you mean ${near}?`;
    world.note(`${asked.servers}: column ${visibleText(header)} means nothing to the plan${meant}\n`);
  }
  const { errors, skipped, servers } = inventory;
  if (errors.length > 0) return { ...nothing, calendar, quarter, skipped, errors };
  return { plan: planQuarter({ ...calendar, quarter, servers, now }), calendar, quarter, skipped, errors };
}

function calendarOf(
  { config }: PlanArguments,
  world: World,
): { calendar: PlanningCalendar } | { errors: PlanError[] } {
  const file = config ?? (world.exists(defaultConfig) ? defaultConfig : undefined);
  if (file === undefined) return { calendar: defaultCalendar };
  const read = textOf(file, '--config', world);
  if ('problem' in read) return { errors: [whole(read.problem)] };
  const parsed = parseConfiguration(read.text);
  if ('configuration' in parsed) {
    const { calendar, environments } = parsed.configuration;
    return { calendar: planningCalendar(calendar, environments) };
  }
  return { errors: parsed.problems.map((problem) => whole(problemText(file, problem))) };
}

function textOf(file: string, option: string, world: World): { text: string } | { problem: string } {
  try {
    return { text: world.readText(file) };
  } catch (error) {
    return { problem: `${option} ${JSON.stringify(file)} can not be read: ${(error as Error).message}` };
  }
}

function whole(message: string): PlanError {
  return { row: null, column: null, message };
}

function calendarText(
  plan: QuarterPlan,
  calendar: PlanningCalendar,
  { reasons }: PlanArguments,
  { columns, colour }: World,
): string {
  const { firstDay, lastDay } = plan.quarter;
  const days = { first: dayNumber(firstDay), last: dayNumber(lastDay) };
  const clockOf = createZoneClocks();
  const used = new Set(plan.campaigns.map(({ policy }) => policy));
  const policies = [...calendar.policies.values()].filter(({ name }) => used.has(name));
  const frozen = new Map(
    policies.map(({ name }) => [name, frozenSpans(calendar.freezes, name, 'UTC', clockOf, days)]),
  );
  return quarterCalendar(plan, {
    columns,
    paint: painter(colour),
    policies,
    reasons,
    closedOn(day, environment) {
      const start = day * dayMillis;
      return freezeOver(frozen.get(environment) ?? [], { start, end: start + dayMillis })?.reason;
    },
  });
}

function errorText(file: string, { row, column, message }: PlanError | InventoryError, before = ''): string {
  if (row === null) return `${visibleLines(message)}\n`;
  const place = column ? `row ${row}, ${visibleText(column)}` : `row ${row}`;
  return `${before}${file}: ${place}: ${visibleText(message)}\n`;
}
