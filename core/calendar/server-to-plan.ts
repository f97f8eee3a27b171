/** Owns what the planner needs to know of a server; the inventory knows more. */

/** The columns of a server list: however a team names its quarters, these are the first to the fourth. */
export type QuarterColumn = 'Q1' | 'Q2' | 'Q3' | 'Q4';

/** What a person set for a server and a quarter. */
export interface ExplicitDate {
  /** `2027-01-09`, on the server's own calendar. */
  readonly date?: string;
  /** `02:00`, on the server's own clock; without it the policy's first hour. */
  readonly time?: string;
  /** As the list has it: `Approved`, `Pending`, `Rejected`. */
  readonly approval?: string;
}

export interface ServerToPlan {
  /** Unique, without regard to case. */
  readonly name: string;
  /** By it the policy is found. */
  readonly environment: string;
  /** Canonical IANA name. */
  readonly zone: string;
  readonly active: boolean;
  readonly hostGroup?: string;
  /** Servers of one HA group are never patched at once. A host group is none. Several stand with semicolons between. */
  readonly haGroup?: string;
  readonly explicit?: Readonly<Partial<Record<QuarterColumn, ExplicitDate>>>;
  /** Five fields, on the server's own clock. */
  readonly cron?: string;
  /** Names of servers whose windows must have ended before this one's begins. */
  readonly dependsOn?: readonly string[];
}
