/** Owns what a server list says of a server; the planner needs less of it. */
import type { ExplicitDate, QuarterColumn, ServerToPlan } from '../calendar/server-to-plan.ts';

export const quarterColumns = ['Q1', 'Q2', 'Q3', 'Q4'] as const satisfies readonly QuarterColumn[];

/** A date whose quarter is over where the server is: kept, and planned no more. */
export interface PastDate extends ExplicitDate {
  readonly date: string;
  /** `2026-Q4`, by the date and not by its column. */
  readonly quarter: string;
  readonly column: QuarterColumn;
}

export interface InventoryServer extends ServerToPlan {
  /** As spreadsheets count: the headers are row 1. */
  readonly row: number;
  readonly explicit: Readonly<Partial<Record<QuarterColumn, ExplicitDate>>>;
  readonly history: readonly PastDate[];
  readonly operatingSystem?: string;
  readonly location?: string;
  readonly owners: { readonly primary?: string; readonly secondary?: string };
  readonly instanceId?: string;
  readonly account?: string;
  readonly region?: string;
  /** Bare metal takes longer to restart; not known when absent, which counts as no. */
  readonly metal?: boolean;
  /** What the list says of this quarter's patching; what we know of it is in the campaigns. */
  readonly currentQuarterStatus?: string;
  /** Columns that we do not know, by their header. */
  readonly extra: Readonly<Record<string, string>>;
}

/** Environments are named in lower case with dashes, however a list or a tag writes them. */
export function environmentName(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
}
