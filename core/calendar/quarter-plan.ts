/** Owns the shape of a planned quarter: windows, campaigns, conflicts. */
import type { Instant } from '../instant.ts';
import type { Quarter } from '../quarter.ts';

export interface PlannedWindow {
  readonly server: string;
  readonly start: Instant;
  /** Exclusive. */
  readonly end: Instant;
  /** IANA name. */
  readonly zone: string;
  /** ISO 8601 with the offset that holds then: `2027-01-09T00:00:00+01:00`. */
  readonly localStart: string;
  /** Id of the campaign: the servers that share policy and window. */
  readonly campaign: string;
  /** Why then, in words, with what daylight saving time did to it. */
  readonly reason: string;
}

/** `security`: between the windows of the cadence, for updates that must not wait; absent for those. */
export type Lane = 'security';

/** A window whose campaign was started, or can be at any moment. */
export type KeptWindow = PlannedWindow & { readonly lane?: Lane };

export interface PlannedCampaign {
  readonly id: string;
  /** Name of the environment whose policy holds. */
  readonly policy: string;
  readonly lane?: Lane;
  readonly start: Instant;
  readonly end: Instant;
  readonly zone: string;
  readonly servers: number;
}

export type ConflictCode =
  | 'no-policy'
  | 'duplicate-server'
  | 'unknown-server'
  | 'second-schedule'
  | 'invalid-schedule'
  | 'wrong-quarter'
  | 'past-date'
  | 'outside-allowed-hours'
  | 'not-approved'
  | 'in-freeze'
  | 'same-ha-group'
  | 'dependency-broken'
  | 'window-too-short'
  | 'window-full'
  | 'no-room';

/** Why a server has no window, or one window less than its rule asks for. */
export interface Conflict {
  readonly server: string;
  readonly code: ConflictCode;
  /** What is wrong and what to change, in words. */
  readonly message: string;
}

/** Windows by start, then server; conflicts by server. */
export interface QuarterPlan {
  readonly quarter: Quarter;
  readonly windows: readonly PlannedWindow[];
  readonly campaigns: readonly PlannedCampaign[];
  readonly conflicts: readonly Conflict[];
}
