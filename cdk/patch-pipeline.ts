/** Owns the whole of Quarterdeck as one construct, for its own stack and for teams that put it into theirs. */
import { Stack, Token } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import {
  type Configuration,
  type ConfigurationInput,
  checkConfiguration,
  problemText,
  quarterStarts,
  settingsOf,
} from '../core/configuration.ts';
import { type StepName, steps } from '../core/steps.ts';
import { type FunctionName, functions, type PortName } from '../lambdas/functions.ts';
import { Alarms } from './constructs/alarms.ts';
import { BackupBucket } from './constructs/backup-bucket.ts';
import { BackupCare } from './constructs/backup-care.ts';
import { CampaignBucket } from './constructs/campaign-bucket.ts';
import { CampaignMachine } from './constructs/campaign-machine.ts';
import { CampaignSchedules } from './constructs/campaign-schedules.ts';
import { CommandEvents } from './constructs/command-events.ts';
import { DataKey } from './constructs/data-key.ts';
import { EventInlet } from './constructs/event-forwarding.ts';
import { NoticeTopic } from './constructs/notice-topic.ts';
import { documentHashes, PatchDocuments } from './constructs/patch-documents.ts';
import { PatchFunction } from './constructs/patch-function.ts';
import { Reboots } from './constructs/reboots.ts';
import { ServerAccess } from './constructs/server-access.ts';
import { Servers } from './constructs/servers.ts';
import { SettingsObject } from './constructs/settings-object.ts';
import { StateTable } from './constructs/state-table.ts';
import { Sweeper } from './constructs/sweeper.ts';

type Environments = ConfigurationInput['environments'];
type Place = Configuration['home'];

export interface PatchPipelineProps {
  /** A policy for each environment, by the value of the environment tag; `{}` takes all defaults, and only scans. */
  readonly environments: Environments;
  /**
   * Quarters, freezes, holidays and HA groups.
   * @default - quarters from November on, and nothing that is closed
   */
  readonly calendar?: NonNullable<ConfigurationInput['calendar']>;
  /**
   * Accounts and Regions in which servers live. Those other than the stack's own need a `PlaceStack` each.
   * @default - the account and Region of the stack
   */
  readonly places?: readonly Place[];
  /**
   * Name of the role that is assumed in other accounts.
   * @default 'QuarterdeckMember'
   */
  readonly memberRole?: string;
  /**
   * Unique id (AROA…) of the role that all hybrid nodes share: their results lie under it.
   * @default - none; hybrid nodes can not write their results, and are not patched
   */
  readonly hybridRoleId?: string | undefined;
  /**
   * Only servers that carry this tag are ever seen.
   * @default { key: 'quarterdeck', value: 'enrolled' }
   */
  readonly optInTag?: { readonly key: string; readonly value: string };
  /**
   * Keys of the tags in which a server says what it is.
   * @default - environment, owner, time-zone and host-group
   */
  readonly serverTags?: NonNullable<ConfigurationInput['serverTags']>;
  /**
   * IANA time zone of servers that carry no tag for it.
   * @default 'UTC'
   */
  readonly defaultTimeZone?: string;
  /**
   * Addresses that notices and alarms go to; each has to confirm.
   * @default - none; subscribe to `topic` yourself
   */
  readonly emails?: readonly string[];
  /**
   * How backups are kept: under a lock of so many days, and with a copy in another Region, for which a
   * `BackupCopyStack` has to be there first.
   * @default - without lock and without copy
   */
  readonly backups?: NonNullable<ConfigurationInput['backups']>;
  /**
   * Runs the functions in a VPC.
   * @default - in none; they need none
   */
  readonly network?: Configuration['network'];
  /**
   * Of the logs of functions and of the state machine.
   * @default 30
   */
  readonly logRetentionDays?: Configuration['logRetentionDays'];
  /**
   * By function. New accounts may have ten in all.
   * @default - none is reserved
   */
  readonly reservedConcurrency?: Readonly<Record<string, number>>;
}

/** One for an account and Region: its documents have fixed names, and its events come over the account's one bus. */
export class PatchPipeline extends Construct {
  readonly documents: PatchDocuments;
  readonly bucket: CampaignBucket;
  readonly backups: BackupBucket;
  readonly table: StateTable;
  readonly topic: NoticeTopic;
  readonly machine: CampaignMachine;
  /** Attach its policy to the roles of servers. */
  readonly serverAccess: ServerAccess;
  /** By the stem of their files; invoke `create-campaign`, `decide-approval`, `stop-campaign`, `acknowledge-failures`. */
  readonly functions: Readonly<Record<FunctionName, PatchFunction>>;

  constructor(scope: Construct, id: string, props: PatchPipelineProps) {
    super(scope, id);
    // S3 writes access logs by a policy, and not by an ACL, which our buckets do not take. Apps older than the flag
    // do not set it.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    const configuration = configurationOf(this, props);
    const { home, places, optInTag, network } = configuration;
    refuseSecond(this, home);
    const logRetention: RetentionDays = configuration.logRetentionDays;
    const memberAccounts = [...new Set(places.map(({ account }) => account))].filter(
      (account) => account !== home.account,
    );

    const key = new DataKey(this, 'Key', { memberAccounts });
    this.table = new StateTable(this, 'State', { key });
    this.bucket = new CampaignBucket(this, 'Campaigns', { key, memberAccounts });
    this.backups = new BackupBucket(this, 'Backups', { memberAccounts, ...configuration.backups });
    this.topic = new NoticeTopic(this, 'Notices', { key, emails: configuration.notifications.emails });
    this.documents = new PatchDocuments(this, 'Documents');
    const settings = new SettingsObject(this, 'Settings', {
      settings: settingsOf(configuration),
      bucket: this.bucket,
      key,
      logRetention,
    });
    this.serverAccess = new ServerAccess(this, 'ServerAccess', {
      bucketArn: this.bucket.bucket.bucketArn,
      keyArn: key.key.keyArn,
      backupBucketArn: this.backups.bucket.bucketArn,
      backupKeyArn: this.backups.key.keyArn,
      home,
    });
    const servers = new Servers(this, 'Servers', {
      home,
      places,
      memberRole: memberAccounts.length > 0 ? configuration.memberRole : '',
      memberAccounts,
      optInTag,
      documents: documentHashes(),
    });

    this.functions = mapNames(functionNames, (name) => {
      const reservedConcurrency = configuration.reservedConcurrency[name];
      return new PatchFunction(this, constructId(name), { name, logRetention, reservedConcurrency, network });
    });
    this.machine = new CampaignMachine(this, 'Campaign', {
      steps: mapNames(stepNames, (name) => this.functions[name]),
      bucket: this.bucket,
      logRetention,
    });
    const schedules = new CampaignSchedules(this, 'Schedules', {
      quarterStarts: quarterStarts(configuration),
      launch: this.functions['launch-campaign'],
      plan: this.functions['plan-schedules'],
      check: this.functions['check-firings'],
      sync: this.functions['sync-servers'],
    });
    this.grantPorts(servers, settings, schedules);

    const events = new CommandEvents(this, 'Events', { settleEvents: this.functions['settle-events'] });
    const sweeper = new Sweeper(this, 'Sweeper', { sweep: this.functions.sweep });
    new BackupCare(this, 'BackupCare', {
      tend: this.functions['tend-backups'],
      test: this.functions['test-restores'],
      expire: this.functions['expire-snapshots'],
    });
    new Reboots(this, 'Reboots', { run: this.functions['run-reboots'] });
    if (memberAccounts.length > 0) new EventInlet(this, 'Inlet', { memberAccounts });
    new Alarms(this, 'Alarms', {
      topic: this.topic,
      machine: this.machine,
      events,
      sweeper,
      schedules,
      functions: this.functions,
      steps: stepNames,
    });
  }

  /** One name is one grant: rights and environment variables together. */
  private grantPorts(servers: Servers, settings: SettingsObject, schedules: CampaignSchedules): void {
    const grants: Record<PortName, (fn: PatchFunction) => void> = {
      records: (fn) => this.table.grantRecords(fn),
      due: (fn) => this.table.grantDue(fn),
      objects: (fn) => this.bucket.grantObjects(fn),
      results: (fn) => this.bucket.grantResults(fn),
      calendar: (fn) => this.bucket.grantCalendar(fn),
      bucket: (fn) => this.bucket.grantName(fn),
      documents: (fn) => servers.grant('documents', fn),
      commands: (fn) => servers.grant('commands', fn),
      invocations: (fn) => servers.grant('invocations', fn),
      fleet: (fn) => servers.grant('fleet', fn),
      discovery: (fn) => servers.grant('discovery', fn),
      snapshots: (fn) => servers.grant('snapshots', fn),
      expiry: (fn) => servers.grant('expiry', fn),
      'root-volumes': (fn) => servers.grant('root-volumes', fn),
      'root-tasks': (fn) => servers.grant('root-tasks', fn),
      alarms: (fn) => servers.grant('alarms', fn),
      callbacks: (fn) => this.machine.grantCallbacks(fn),
      notices: (fn) => this.topic.grantNotices(fn),
      executions: (fn) => this.machine.grantStart(fn),
      schedules: (fn) => schedules.grantSchedules(fn),
      'schedules-seen': (fn) => schedules.grantLooking(fn),
      backups: (fn) => this.backups.grantBackups(fn),
      'backup-name': (fn) => this.backups.grantName(fn),
      policies: (fn) => settings.grantSettings(fn),
    };
    for (const name of functionNames) {
      for (const port of functions[name].ports) grants[port](this.functions[name]);
    }
  }
}

/** @throws Error if the app has another one for the same account and Region */
function refuseSecond(pipeline: PatchPipeline, { account, region }: Place): void {
  const other = pipeline.node.root.node.findAll().find((construct) => {
    if (!(construct instanceof PatchPipeline) || construct === pipeline) return false;
    const stack = Stack.of(construct);
    return stack.account === account && stack.region === region;
  });
  if (other === undefined) return;
  throw new Error(
    `${pipeline.node.path} is a second PatchPipeline for ${account}/${region}, beside ${other.node.path}: keep one`,
  );
}

const functionNames = Object.keys(functions) as FunctionName[];
const stepNames = Object.keys(steps) as StepName[];

function mapNames<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

/** `open-campaign` is `OpenCampaign`. */
const constructId = (name: FunctionName): string =>
  name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());

/** @throws Error with everything that is wrong with the properties, a line each */
function configurationOf(scope: Construct, { emails, ...props }: PatchPipelineProps): Configuration {
  const { account, region } = Stack.of(scope);
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) {
    throw new Error(
      'the stack of a PatchPipeline has no account and Region: give it an env, policies name their servers by it',
    );
  }
  const parsed = checkConfiguration({
    schema: 1,
    home: { account, region },
    ...(emails && { notifications: { emails } }),
    ...Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined)),
  });
  if ('problems' in parsed) {
    throw new Error(parsed.problems.map((problem) => problemText(scope.node.path, problem)).join('\n'));
  }
  const unknown = Object.keys(parsed.configuration.reservedConcurrency).find(
    (name) => !Object.hasOwn(functions, name),
  );
  if (unknown !== undefined) {
    throw new Error(
      `reservedConcurrency names ${unknown}, which is no function: choose of ${functionNames.join(', ')}`,
    );
  }
  return parsed.configuration;
}
