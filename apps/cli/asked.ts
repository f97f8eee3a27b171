/** Owns the shapes of what is asked for on the command line. */
import type { JobCommandLine } from './asked-jobs.ts';

/** Where what is stored is kept, and how answers are written. */
export interface CommonArguments {
  /** Undefined: `quarterdeck.yaml`, where there is one. */
  readonly config: string | undefined;
  readonly place: { readonly aws: true } | { readonly aws: false; readonly state: string };
  /** Undefined: the clock of this machine. */
  readonly now: string | undefined;
  readonly json: boolean;
  /** Undefined: whoever is logged in. */
  readonly by: string | undefined;
}

export interface PlanArguments extends CommonArguments {
  /** Path of the server list; undefined: what is stored. */
  readonly servers: string | undefined;
  /** `2027-Q1`, `current`, `next` or `previous`. */
  readonly quarter: string;
  /** Whether every window is listed with its reason. */
  readonly reasons: boolean;
  readonly skipBadRows: boolean;
}

export interface ImportArguments extends CommonArguments {
  readonly file: string;
  readonly replace: boolean;
  readonly skipBadRows: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

export interface ListArguments extends CommonArguments {
  readonly filter: Readonly<Partial<Record<'environment' | 'owner' | 'group' | 'name', string>>>;
  /** Whether the list is shown to its end. */
  readonly all: boolean;
}

/** Undefined: standard output. */
export interface ExportArguments extends CommonArguments {
  readonly file: string | undefined;
}

export interface ScheduleArguments extends CommonArguments {
  readonly server: string;
}

export type AskedRule =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'date'; readonly date: string; readonly time?: string; readonly approval?: string }
  | { readonly kind: 'policy' };

export interface SetArguments extends ScheduleArguments {
  readonly rule: AskedRule | null;
  readonly change: boolean;
  readonly force: boolean;
}

export interface FeedArguments extends ExportArguments {
  readonly audience:
    | { readonly kind: 'fleet' }
    | { readonly kind: 'owner'; readonly owner: string }
    | { readonly kind: 'group'; readonly group: string };
}

export interface PauseArguments extends CommonArguments {
  readonly reason: string;
}

export type CommandLine =
  | { readonly kind: 'help'; readonly command: string | undefined }
  | { readonly kind: 'plan'; readonly arguments: PlanArguments }
  | { readonly kind: 'servers import'; readonly arguments: ImportArguments }
  | { readonly kind: 'servers export'; readonly arguments: ExportArguments }
  | { readonly kind: 'servers list'; readonly arguments: ListArguments }
  | { readonly kind: 'servers sync'; readonly arguments: ExportArguments }
  | { readonly kind: 'schedule set' | 'schedule remove'; readonly arguments: SetArguments }
  | { readonly kind: 'schedule show'; readonly arguments: ScheduleArguments }
  | { readonly kind: 'schedule list'; readonly arguments: ListArguments }
  | { readonly kind: 'feed'; readonly arguments: FeedArguments }
  | { readonly kind: 'pause' | 'resume'; readonly arguments: PauseArguments }
  | JobCommandLine;
