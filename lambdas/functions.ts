/** Owns the list of functions: what each may touch, how long it may run, and with how much memory. Read by the stack. */
import type { DocumentKind } from '../core/document.ts';
import type { EnvironmentKey } from './environment.ts';

/** What a function may touch. One name is one grant: rights and environment variables together. */
export type PortName =
  /** State table: read and write items. */
  | 'records'
  /** The table's index of what is due: query. */
  | 'due'
  /** Campaign bucket: get and put objects. */
  | 'objects'
  /** What servers answered, in the campaign bucket: get. */
  | 'results'
  /** What is planned, in the campaign bucket: get and put below `calendar/`. */
  | 'calendar'
  /** The bucket's name and Region, and no right on it. */
  | 'bucket'
  /** DescribeDocument and GetDocument of our documents, in every place. */
  | 'documents'
  /** SendCommand of our documents to opted-in servers; ListCommands and ListCommandInvocations. */
  | 'commands'
  /** ListCommandInvocations alone. */
  | 'invocations'
  /** Which servers answer: DescribeInstanceInformation and the tags of EC2 and SSM. */
  | 'fleet'
  /** The same, for finding opted-in servers by tag. */
  | 'discovery'
  /** CreateSnapshots of opted-in servers, with our tags; DescribeSnapshots and DescribeInstances. */
  | 'snapshots'
  /** DescribeSnapshots; DeleteSnapshot of those with our tags. */
  | 'expiry'
  /** CreateReplaceRootVolumeTask of opted-in servers by snapshots with our tags, and what of it is to be seen. */
  | 'root-volumes'
  /** What of it is to be seen alone. */
  | 'root-tasks'
  /** DescribeAlarms, in every place. */
  | 'alarms'
  /** SendTaskSuccess and SendTaskFailure. */
  | 'callbacks'
  /** Publish to the topic. */
  | 'notices'
  /** StartExecution on the alias of the state machine. */
  | 'executions'
  /** One-time schedules of our group; PassRole of the role with which they call. */
  | 'schedules'
  /** The same, and only to look at them. */
  | 'schedules-seen'
  /** Backup bucket: read and remove archives. */
  | 'backups'
  /** The backup bucket's name, and no right on it. */
  | 'backup-name'
  /** The policies' object in the campaign bucket: get. */
  | 'policies';

export const portEnvironment = {
  records: ['stateTable'],
  due: [],
  objects: ['campaignBucket', 'campaignBucketRegion'],
  results: ['campaignBucket', 'campaignBucketRegion'],
  calendar: ['campaignBucket', 'campaignBucketRegion'],
  bucket: ['campaignBucket', 'campaignBucketRegion'],
  documents: ['memberRole', 'documentHashes'],
  commands: ['memberRole'],
  invocations: ['memberRole'],
  fleet: ['memberRole', 'optInTag'],
  discovery: ['memberRole', 'optInTag'],
  snapshots: ['memberRole'],
  expiry: ['memberRole'],
  'root-volumes': ['memberRole'],
  'root-tasks': ['memberRole'],
  alarms: ['memberRole'],
  callbacks: [],
  notices: ['noticeTopic'],
  executions: ['stateMachine'],
  schedules: ['scheduleGroup', 'scheduleTarget', 'scheduleRole', 'scheduleDeadLetters'],
  'schedules-seen': ['scheduleGroup', 'scheduleTarget', 'scheduleRole', 'scheduleDeadLetters'],
  backups: ['backupBucket'],
  'backup-name': ['backupBucket'],
  policies: ['campaignBucket', 'campaignBucketRegion', 'policies'],
} as const satisfies Record<PortName, readonly EnvironmentKey[]>;

export interface FunctionShape {
  readonly ports: readonly PortName[];
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** What documents it pins or sends; those of campaigns where it is not said. */
  readonly sends?: readonly DocumentKind[];
  /** Of the scratch folder; 512 where it is not said. */
  readonly scratchMb?: number;
  readonly description: string;
}

/** By the stem of the handler's file. Those of the state machine's steps end before the state that waits for them. */
export const functions = {
  'open-campaign': {
    ports: ['records', 'objects', 'documents', 'notices'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Looks at the window once more, pins the documents and lays out the batches',
  },
  'dispatch-batch': {
    ports: ['records', 'objects', 'backup-name', 'commands', 'fleet', 'callbacks'],
    // Less than the lease of a dispatcher, so that two never send at the same time.
    timeoutSeconds: 110,
    memoryMb: 512,
    description: 'Sends one phase of a batch to its servers, once',
  },
  'snapshot-batch': {
    ports: ['records', 'snapshots'],
    // Ten rounds of five servers, each answered or given up within 30 s.
    timeoutSeconds: 330,
    memoryMb: 512,
    description: 'Takes the snapshots of a batch of servers before their patch',
  },
  'give-up-batch': {
    ports: ['records', 'results', 'invocations', 'callbacks'],
    timeoutSeconds: 120,
    memoryMb: 512,
    description: 'Settles what is left of a batch whose state failed or timed out',
  },
  'seal-campaign': {
    ports: ['records', 'objects'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Seals the plans under one hash and lays out the waves',
  },
  'ask-approval': {
    ports: ['records', 'callbacks', 'notices'],
    timeoutSeconds: 60,
    memoryMb: 512,
    description: 'Asks people to approve the sealed plans',
  },
  'expire-approval': {
    ports: ['records'],
    timeoutSeconds: 60,
    memoryMb: 512,
    description: 'Turns an approval that nobody gave in time into a denial',
  },
  'enter-window': {
    ports: ['records'],
    timeoutSeconds: 60,
    memoryMb: 512,
    description: 'Decides at the window whether patching may begin',
  },
  'judge-wave': {
    ports: ['records', 'bucket', 'alarms'],
    timeoutSeconds: 120,
    memoryMb: 512,
    description: 'Decides between waves whether the campaign goes on',
  },
  'close-campaign': {
    ports: ['records', 'objects', 'notices'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Gives every job an end and writes the report',
  },
  'settle-events': {
    ports: ['records', 'results', 'invocations', 'callbacks'],
    timeoutSeconds: 120,
    memoryMb: 512,
    description: 'Takes events of Run Command from the queue into the jobs of their batches',
  },
  sweep: {
    ports: ['records', 'due', 'objects', 'invocations', 'callbacks', 'executions', 'notices', 'root-tasks'],
    // Shorter than the time between two sweeps.
    timeoutSeconds: 240,
    memoryMb: 512,
    description: 'Looks again at everything that waits, since events are best effort',
  },
  'tend-backups': {
    ports: ['records', 'due', 'backups', 'notices'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Reads backups that are due for it, and removes those that have had their time',
  },
  'test-restores': {
    ports: ['records', 'due', 'objects', 'calendar', 'backups', 'notices'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    scratchMb: 5120,
    description: 'Restores some backups into a scratch place, and proves that they come back as they were',
  },
  'show-backups': {
    ports: ['records', 'calendar'],
    timeoutSeconds: 60,
    memoryMb: 512,
    description: 'Lists the backups of a campaign or of a server',
  },
  'verify-backups': {
    ports: ['records', 'calendar', 'backups'],
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Reads the backups of a campaign or of a server to their end, and compares them',
  },
  'request-reboot': {
    ports: ['records', 'calendar', 'policies', 'discovery'],
    timeoutSeconds: 300,
    memoryMb: 512,
    description: 'Asks for a reboot of a server, in a window',
  },
  'cancel-reboot': {
    ports: ['records', 'calendar'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Takes a reboot back that waits',
  },
  'show-reboot': {
    ports: ['records', 'calendar'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Shows the reboots of a server',
  },
  'run-reboots': {
    ports: ['records', 'due', 'objects', 'commands', 'documents', 'fleet'],
    sends: ['reboot'],
    timeoutSeconds: 300,
    memoryMb: 512,
    description: 'Sends reboots that are due, and settles those that were sent',
  },
  'roll-back': {
    ports: ['records', 'objects', 'calendar', 'backup-name', 'commands', 'fleet', 'notices'],
    // Less than the lease of a dispatcher, as it is one.
    sends: ['rollback'],
    timeoutSeconds: 110,
    memoryMb: 512,
    description: 'Brings servers of an ended campaign back, or has them say what they would do',
  },
  'show-rollback': {
    ports: ['records', 'objects', 'calendar'],
    timeoutSeconds: 60,
    memoryMb: 512,
    description: 'Shows the rollback by hand of a campaign, server by server',
  },
  'plan-schedules': {
    ports: ['records', 'objects', 'calendar', 'policies', 'executions', 'notices', 'schedules'],
    timeoutSeconds: 600,
    // A plan of 100,000 servers takes 512 MB, and two quarters of them are held at a time.
    memoryMb: 2048,
    description: 'Plans this quarter and the next, and makes the schedules of campaigns follow',
  },
  'launch-campaign': {
    ports: ['records', 'objects', 'calendar', 'policies', 'executions', 'notices'],
    timeoutSeconds: 120,
    // The inventory is read as a whole.
    memoryMb: 2048,
    description: 'Starts a planned campaign when its schedule fires, once',
  },
  'check-firings': {
    ports: ['records', 'objects', 'calendar', 'policies', 'executions', 'notices', 'schedules-seen'],
    timeoutSeconds: 300,
    memoryMb: 2048,
    description: 'Looks for campaigns that should have started and have not',
  },
  'pause-all': {
    ports: ['records'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Pauses everything: nothing is started or dispatched any more',
  },
  'resume-all': {
    ports: ['records'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Ends a pause of everything',
  },
  'import-servers': {
    ports: ['records', 'calendar', 'policies'],
    timeoutSeconds: 300,
    // A list of 100,000 servers, the inventory before it and two plans of it.
    memoryMb: 2048,
    description: 'Takes a server list into the inventory, all of it or nothing',
  },
  'sync-servers': {
    ports: ['records', 'calendar', 'policies', 'discovery'],
    // Tags of hybrid nodes are asked one by one.
    timeoutSeconds: 900,
    memoryMb: 1024,
    description: 'Brings the inventory up to what EC2 and SSM say, and keeps what people set',
  },
  'set-schedule': {
    ports: ['records', 'calendar', 'policies'],
    timeoutSeconds: 300,
    memoryMb: 2048,
    description: 'Gives a server its one schedule, changes it, or takes it away',
  },
  'ask-zones': {
    ports: ['records', 'calendar', 'commands', 'documents', 'fleet'],
    sends: ['time-zone'],
    // As long as its lease.
    timeoutSeconds: 900,
    memoryMb: 2048,
    description: 'Asks servers of the inventory for their time zones',
  },
  'show-zones': {
    ports: ['records', 'calendar', 'invocations'],
    timeoutSeconds: 900,
    memoryMb: 2048,
    description: 'Shows what servers said of their time zones beside what is recorded',
  },
  'show-calendar': {
    ports: ['records', 'calendar', 'policies'],
    timeoutSeconds: 300,
    memoryMb: 2048,
    description: 'Shows inventory, schedules, plans and feeds, and changes nothing',
  },
  'create-campaign': {
    ports: ['records', 'objects', 'calendar', 'policies', 'discovery', 'executions'],
    timeoutSeconds: 300,
    memoryMb: 1024,
    description: 'Makes a campaign of opted-in servers and starts its execution',
  },
  'decide-approval': {
    ports: ['records', 'callbacks'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Records the decision of a person on the sealed plans',
  },
  'expire-snapshots': {
    ports: ['policies', 'expiry'],
    timeoutSeconds: 900,
    memoryMb: 512,
    description: 'Deletes the snapshots that have had their time, but for the last good ones of each server',
  },
  'request-root-volume': {
    ports: ['records', 'notices'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Records that a person wants a root volume back as it was before a campaign',
  },
  'decide-root-volume': {
    ports: ['records', 'root-volumes'],
    timeoutSeconds: 120,
    memoryMb: 512,
    description: 'Replaces a root volume by a snapshot where another person approves it',
  },
  'stop-campaign': {
    ports: ['records', 'callbacks'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Stops a campaign: nothing more is dispatched',
  },
  'acknowledge-failures': {
    ports: ['records'],
    timeoutSeconds: 30,
    memoryMb: 512,
    description: 'Lets the campaigns of a policy and quarter go on after their failures were looked at',
  },
} as const satisfies Record<string, FunctionShape>;

export type FunctionName = keyof typeof functions;

/** The variables that a function reads: those of its ports, each once. */
export function environmentOf(name: FunctionName): readonly EnvironmentKey[] {
  return [
    ...new Set(functions[name].ports.flatMap((port): readonly EnvironmentKey[] => portEnvironment[port])),
  ];
}
