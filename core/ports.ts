/** Owns the ports: all that the use-cases need of the world. Adapters in `lambdas/aws` and `apps/local` implement them. */
import type { Snapshot } from './backup.ts';
import type { Instant } from './instant.ts';
import type { Measure } from './measure.ts';
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
  readonly kind:
    | 'campaign-opened'
    | 'approval-asked'
    | 'campaign-stopped'
    | 'campaign-closed'
    | 'campaign-started'
    | 'campaign-not-started'
    | 'quarter-planned'
    | 'backup-bad'
    | 'restore-tested'
    | 'root-volume';
  /** Null where it is about none. */
  readonly campaignId: string | null;
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

/** What reading an archive to its end showed. */
export interface InspectedArchive {
  /** Of the object as it is stored. */
  readonly sha256: string;
  readonly bytes: number;
  /** Entries of the archive; null where it can not be read to its end. */
  readonly entries: number | null;
  /** Why it can not be read, where it can not. */
  readonly problem?: string;
}

export interface RestoredFile {
  /** As the archive names it, without a leading slash: `etc/hosts`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits, octal: `0644`. */
  readonly mode: string;
  /** Of a file. */
  readonly sha256?: string;
  /** Where a symbolic link points. */
  readonly target?: string;
}

export interface RestoredArchive {
  readonly files: readonly RestoredFile[];
  /** By path, of the texts that were asked for, those that are there. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The backup bucket. Servers write it, and nobody else; archives are read as streams, for they may be large. */
export interface Backups {
  readonly bucket: string;
  /** @returns undefined when there is no such object */
  inspect(key: string): Promise<InspectedArchive | undefined>;
  /**
   * Unpacks an archive into a scratch folder, looks at what is there, and removes the folder again.
   *
   * @param texts files whose content is wanted
   * @throws Error when it can not be unpacked
   */
  restore(key: string, texts: readonly string[]): Promise<RestoredArchive | undefined>;
  /** Whether the copy in the second Region is there; `none` where the bucket has no such copies. */
  replication(key: string): Promise<'pending' | 'arrived' | 'failed' | 'none' | undefined>;
  /** Versions under a lock stay until it ends. When there is no such object, nothing happens. */
  remove(key: string): Promise<void>;
}

/** A disk of EBS that is attached to a server. */
export interface Volume {
  readonly volumeId: string;
  readonly device: string;
  readonly root: boolean;
}

export interface SnapshotOrder {
  readonly serverId: string;
  readonly campaignId: string;
  readonly expiresAt: Instant;
  /** How many sets of this server are kept, however old they are. */
  readonly keepLast: number;
}

/** As EC2 says it, with what its tags tell. */
export interface TakenSnapshot extends Omit<Snapshot, 'device' | 'root'>, SnapshotOrder {}

/** Snapshots of volumes. Only those that carry our tags are ever seen. */
export interface Snapshots {
  /** What is attached to servers; those that are gone are left out, and one without EBS has none. */
  volumes(place: Place, serverIds: readonly string[]): Promise<ReadonlyMap<string, readonly Volume[]>>;
  /** Those that a campaign took of these servers, soon after they were taken. */
  find(place: Place, campaignId: string, serverIds: readonly string[]): Promise<readonly TakenSnapshot[]>;
  /**
   * All volumes of a server at one moment. Their content is fixed when this returns; it is copied meanwhile.
   *
   * @throws PortError `throttled` (nothing was taken), `refused` (nothing was taken), `ambiguous` (some may have been)
   */
  take(place: Place, order: SnapshotOrder): Promise<readonly TakenSnapshot[]>;
  /** All of ours in a place. */
  list(place: Place): Promise<SnapshotList>;
  /** @throws PortError `throttled`, `refused` */
  delete(place: Place, snapshotId: string): Promise<'deleted' | 'gone' | 'in-use'>;
}

interface SnapshotList {
  readonly snapshots: readonly TakenSnapshot[];
  /** Those that carry our tags, but not as we write them. */
  readonly unread: readonly { readonly snapshotId: string; readonly why: string }[];
}

/** `missing`: there is no alarm of that name. */
export type AlarmState = 'ok' | 'alarm' | 'insufficient-data' | 'missing';

/** Alarms of CloudWatch, of metrics and composite ones. */
export interface Alarms {
  /** Where alarms are that say nothing of it: the account and Region of the control plane. */
  readonly home: Place;
  /** @throws PortError `refused` when we may not look there */
  states(place: Place, names: readonly string[]): Promise<ReadonlyMap<string, AlarmState>>;
}

/** What EC2 and its agent say of a server whose root volume is replaced. */
interface RootVolumeView {
  /** As EC2 names it: `running`, `stopped`, `terminated`. */
  readonly instanceState: string;
  /** Null where the root is no EBS volume, or none is attached. */
  readonly rootVolumeId: string | null;
  /** Null when no agent has ever reported, or not for long. */
  readonly agentSeenAt: Instant | null;
}

export interface RootVolumeTask {
  readonly state: 'pending' | 'in-progress' | 'succeeded' | 'failing' | 'failed' | 'failed-detached';
  readonly completedAt: Instant | null;
}

/** Replacing the root volume of running instances. */
export interface RootVolumes {
  /** @returns undefined when EC2 knows no such instance */
  look(place: Place, serverId: string): Promise<RootVolumeView | undefined>;
  /** @returns undefined when EC2 knows no such task */
  task(place: Place, taskId: string): Promise<RootVolumeTask | undefined>;
  /**
   * The same token again is the same task.
   *
   * @returns the id of the task
   * @throws PortError `throttled`, `refused`, `ambiguous` (call again with the same token)
   */
  replace(place: Place, request: RootVolumeRequest): Promise<string>;
}

export interface RootVolumeRequest {
  readonly serverId: string;
  readonly snapshotId: string;
  readonly campaignId: string;
  /** 1 to 64 ASCII characters. */
  readonly token: string;
}

/** What alarms count. */
export interface Measures {
  count(measure: Measure, servers: number): void;
}

export interface Ports {
  readonly records: Records;
  readonly objects: Objects;
  readonly commands: Commands;
  readonly fleet: Fleet;
  readonly callbacks: Callbacks;
  readonly notices: Notices;
  readonly executions: Executions;
  readonly snapshots: Snapshots;
  readonly rootVolumes: RootVolumes;
  readonly alarms: Alarms;
  /** Where servers are told to put their backups. */
  readonly backups: Pick<Backups, 'bucket'>;
  readonly measures: Measures;
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
