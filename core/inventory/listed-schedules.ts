/** Owns how schedules that were set by themselves stand in a list, and how they are known when the list comes back. */
import type { Schedule } from '../calendar/schedule.ts';
import { type InventoryServer, quarterColumns } from './inventory-server.ts';
import { type PastQuarterOf, splitPast } from './past-dates.ts';
import type { StoredServer } from './stored-server.ts';

/** The servers as a list shows them: with the dates to come, or the cron expression, that somebody set for them. */
export function withSchedules(
  servers: readonly StoredServer[],
  schedules: readonly Schedule[],
  pastQuarterOf: PastQuarterOf,
): StoredServer[] {
  const rules = rulesByServer(schedules);
  return servers.map((server) => {
    const rule = rules.get(server.name.toLowerCase());
    if (rule?.kind === 'cron') return { ...server, cron: rule.expression };
    if (rule?.kind !== 'dates') return server;
    const { explicit } = splitPast(rule.dates, server.zone, pastQuarterOf);
    return { ...server, explicit: { ...server.explicit, ...explicit } };
  });
}

/** The rows without what is set by itself already: who repeats a schedule gives no second one. */
export function withoutSchedules(
  rows: readonly InventoryServer[],
  schedules: readonly Schedule[],
): readonly InventoryServer[] {
  if (schedules.length === 0) return rows;
  const rules = rulesByServer(schedules);
  return rows.map((row) => {
    const rule = rules.get(row.name.toLowerCase());
    const { cron, ...rest } = row;
    if (rule?.kind === 'cron') return cron === rule.expression.trim() ? rest : row;
    if (rule?.kind !== 'dates') return row;
    const { dates } = rule;
    const dated = quarterColumns.filter((column) => row.explicit[column]?.date !== undefined);
    const isSame = dated.every((column) =>
      (['date', 'time', 'approval'] as const).every(
        (part) => row.explicit[column]?.[part] === dates[column]?.[part],
      ),
    );
    const others = quarterColumns.filter((column) => !dated.includes(column) && row.explicit[column]);
    const explicit = Object.fromEntries(others.map((column) => [column, row.explicit[column]]));
    return isSame ? { ...row, explicit } : row;
  });
}

function rulesByServer(schedules: readonly Schedule[]): Map<string, Schedule['rule']> {
  return new Map(schedules.map(({ server, rule }) => [server.toLowerCase(), rule]));
}
