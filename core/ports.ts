/** Owns the ports: all that the use-cases need of the world. Adapters in `lambdas/aws` and `apps/local` implement them. */
import type { Instant } from './instant.ts';
import type { Phase } from './phase.ts';
import type { Place } from './server.ts';

export interface RecordKey {
  readonly partition: string;
  readonly sort: string;
}

/** One stored item. `body` is plain JSON; whoever reads it parses it with the schema of its entity. */
export interface StoredRecord {
  readonly key: RecordKey;
  /** 1 when created, one more with each replacement. */
  readonly revision: number;
  readonly body: unknown;
  /** Puts the item into a sparse index of things to look at again; absent when there is nothing to wait for. */
  readonly due?: { readonly shard: string; readonly at: Instant };
}

interface RecordPage {
  readonly records: readonly StoredRecord[];
  /** Pass as `after` for the next page; absent on the last. */
  readonly next?: string;
}

/**
 * The state store: single items with optimistic concurrency and no transactions. Every state change is a read, a
 * pure decision, and a write on condition that nothing came between, so a doubled or late event changes nothing.
 * Reads are strongly consistent, but for `listDue`.
 */
export interface Records {
  get(key: RecordKey): Promise<StoredRecord | undefined>;
  /** Up to any number of keys; the answer has the order of the keys. */
  getMany(keys: readonly RecordKey[]): Promise<readonly (StoredRecord | undefined)[]>;
  /** Writes revision 1 unless the key exists. @returns false when it existed; nothing is changed then. */
  create(record: Omit<StoredRecord, 'revision'>): Promise<boolean>;
  /** Writes revision `expected + 1` if the stored revision is `expected`. @returns false when it is not. */
  replace(record: Omit<StoredRecord, 'revision'>, expected: number): Promise<boolean>;
  /** Items of one partition in the order of their sort keys. `limit` bounds a page, not the whole. */
  list(partition: string, options?: { prefix?: string; after?: string; limit?: number }): Promise<RecordPage>;
  /** Items of a shard whose due time is at or before `before`, earliest first; eventually consistent. */
  listDue(shard: string, before: Instant, limit: number): Promise<readonly StoredRecord[]>;
}

/** Objects in the campaign bucket, named by key. Keys that contain their own hash are written once. */
export interface Objects {
  readonly bucket: string;
  readonly region: string;
  put(key: string, content: Uint8Array | string): Promise<void>;
  /**
   * @param atMost bytes; for objects that a server wrote, which may be of any size
   * @returns undefined when there is no such object
   * @throws PortError `too-large`
   */
  get(key: string, atMost?: number): Promise<Uint8Array | undefined>;
}

/** What a campaign pins when it opens, so that an upgrade of the stack changes no campaign under way. */
export interface DocumentPin {
  readonly name: string;
  /** Numeric, as text. */
  readonly version: string;
  /** SHA-256 as DescribeDocument gives it. */
  readonly hash: string;
}

export interface CommandRequest {
  readonly document: DocumentPin;
  /** 1 to 50. */
  readonly serverIds: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** Names batch, phase and attempt, ≤100 characters: how an ambiguous send is found again. */
  readonly comment: string;
  /** Seconds within which an agent must have taken the command, 30–2,592,000. */
  readonly deliveryTimeout: number;
  /** Where the agent puts the whole output. */
  readonly outputPrefix?: string;
}

export interface CommandRef {
  readonly commandId: string;
  readonly comment: string;
  readonly requestedAt: Instant;
}

/** Status details of Run Command, lower case and without spaces (`deliverytimedout`), since AWS spells them two ways. */
export interface Invocation {
  readonly serverId: string;
  readonly status: InvocationStatus;
  readonly terminal: boolean;
  /** The status words of Run Command, for people. */
  readonly statusDetails: string;
  /** Standard output (and error) of the last step, cut at 2,500 characters; empty while there is none. */
  readonly summary: string;
}

export type InvocationStatus =
  | 'pending'
  | 'in-progress'
  | 'succeeded'
  | 'failed'
  /** The agent took it, then did not end in time. */
  | 'execution-timed-out'
  /** Never taken in time; it may all the same have run before the host died. */
  | 'delivery-timed-out'
  | 'undeliverable'
  | 'cancelled';

/** Run Command. Every call goes to the account and Region of the servers. */
export interface Commands {
  /**
   * Document name, version and hash of `$LATEST`.
   *
   * @throws PortError `document-missing`, `document-differs` when it is not the one that this release was made with,
   * and `refused` when we may not look there
   */
  pin(place: Place, name: string): Promise<DocumentPin>;
  /**
   * @returns the command id
   * @throws PortError `throttled` (nothing ran), `invalid-servers` (nothing ran; the whole call is refused for one
   * bad id), `refused` (nothing ran), `ambiguous` (it may have run)
   */
  send(place: Place, request: CommandRequest): Promise<string>;
  /** Commands with exactly this comment, requested since then. */
  find(place: Place, comment: string, since: Instant): Promise<readonly CommandRef[]>;
  /** All invocations of a command (≤50, one page). */
  invocations(place: Place, commandId: string): Promise<readonly Invocation[]>;
}

/** Whether an agent answers: `gone` is terminated or deregistered, and never comes back. */
export type Presence = 'online' | 'offline' | 'gone';

export interface Fleet {
  presence(place: Place, serverIds: readonly string[]): Promise<ReadonlyMap<string, Presence>>;
}

/** Answers to waiting states of the state machine. `gone`: timed out, answered already, or ended; benign. */
export interface Callbacks {
  succeed(token: string, output: unknown): Promise<'delivered' | 'gone'>;
  fail(token: string, error: string, cause: string): Promise<'delivered' | 'gone'>;
}

export interface Notice {
  /** Stable across repeats of the same message, so that a receiver can drop doubles. */
  readonly id: string;
  readonly kind: 'campaign-opened' | 'approval-asked' | 'campaign-stopped' | 'campaign-closed';
  readonly campaignId: string;
  /** <100 characters, one line. */
  readonly subject: string;
  readonly text: string;
}

export interface Notices {
  send(notice: Notice): Promise<void>;
}

/** Starts campaign executions; the same name and input again changes nothing. */
export interface Executions {
  start(name: string, input: unknown): Promise<void>;
}

/** Calls its target once, within a minute after `at`; or more often, so the target must take that. */
export interface OneTimeSchedule {
  /** Of ours, unique: 1 to 64 letters, digits, dots, dashes and underscores. */
  readonly name: string;
  /** Of whole seconds, and ahead: what becomes of schedules that are made for the past is nowhere said. */
  readonly at: Instant;
  /** What the target is called with, as JSON. */
  readonly input: unknown;
}

/** Schedules that share a target. Each goes by itself some time after it has fired. */
export interface OneTimeSchedules {
  /** All there are, in no order. */
  list(): Promise<readonly OneTimeSchedule[]>;
  /** When there is one of that name, it becomes the one that is given. */
  create(schedule: OneTimeSchedule): Promise<void>;
  /** When there is none of that name, it is created. */
  update(schedule: OneTimeSchedule): Promise<void>;
  /** When there is none of that name, nothing happens. */
  delete(name: string): Promise<void>;
}

export interface Ports {
  readonly records: Records;
  readonly objects: Objects;
  readonly commands: Commands;
  readonly fleet: Fleet;
  readonly callbacks: Callbacks;
  readonly notices: Notices;
  readonly executions: Executions;
}

export type PortErrorCode =
  | 'throttled'
  | 'invalid-servers'
  | 'refused'
  | 'ambiguous'
  | 'document-missing'
  | 'document-differs'
  | 'too-large';

/** Names under which the state machine's retries know these errors. */
const errorNames: Readonly<Record<PortErrorCode, string>> = {
  throttled: 'CommandThrottled',
  'invalid-servers': 'ServersInvalid',
  refused: 'CommandRefused',
  ambiguous: 'CommandAmbiguous',
  'document-missing': 'DocumentMissing',
  'document-differs': 'DocumentDiffers',
  'too-large': 'ObjectTooLarge',
};

/** A failure that use-cases act upon. Anything else that an adapter throws is retried by the state machine. */
export class PortError extends Error {
  readonly code: PortErrorCode;

  constructor(code: PortErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = errorNames[code];
    this.code = code;
  }
}

/** Comment of a command: how an ambiguous send, and a person in the console, find it again. */
export function commandComment(campaignId: string, batchId: string, phase: Phase): string {
  return `${campaignId} ${batchId} ${phase}`;
}

/** @param bytes what the object has */
export function tooLarge(key: string, bytes: number, atMost: number): PortError {
  return new PortError('too-large', `object ${key} has ${bytes} bytes, and ${atMost} are read at most`);
}
