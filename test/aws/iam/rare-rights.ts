/** Owns the rights that no recorded call and no resource asks for, each with its reason; one that is used must go. */
import type { Grant } from './grants.ts';

export interface RareRight {
  /** Of the role, or of the policy where it is a resource's. */
  readonly holder: RegExp;
  readonly action: RegExp;
  readonly resource?: RegExp;
  readonly reason: string;
}

const anyFunction = /^[\w-]*Patching\w+Role[0-9A-F]{8}/;

export const rareRights: readonly RareRight[] = [
  {
    holder: anyFunction,
    action: /^kms:(DescribeKey|Encrypt|GenerateDataKey(WithoutPlaintext)?|ReEncryptFrom|ReEncryptTo)$/,
    reason: 'DynamoDB asks its callers for them when it wraps the key of the table anew',
  },
  {
    holder: anyFunction,
    action: /^dynamodb:(BatchGetItem|GetItem|Query)$/,
    resource: /:table\/[\w-]+$/,
    reason: 'Three ways to read the same items: without one of them nobody would see less',
  },
  {
    holder: /EnterWindow|JudgeWaveRole|Show(Calendar|Backups|Reboot|Rollback)Role/,
    action: /^dynamodb:PutItem$/,
    reason: 'Steps of a campaign have the one grant on its records, of which some only read',
  },
  {
    holder:
      /(OpenCampaign|DispatchBatch|SealCampaign|CloseCampaign|CreateCampaign|LaunchCampaign|PlanSchedules|CheckFirings|Sweep|RunReboots|TestRestores)Role/,
    action: /^s3:(GetObject|PutObject|ListBucket)$/,
    reason: 'Who plans, orders and reports has the one grant on lists, orders, results and reports',
  },
  {
    holder:
      /(ImportServers|SyncServers|SetSchedule|Show(Calendar|Backups|Reboot|Rollback|Zones)|AskZones|VerifyBackups|TestRestores|(Request|Cancel)Reboot|RollBack)Role/,
    action: /^s3:(GetObject|PutObject|ListBucket)$/,
    reason: 'Who keeps inventory and schedules has the one grant on them, and on the pieces of long messages',
  },
  {
    holder: /GiveUpBatchRole|SettleEventsRole|ExpireSnapshotsRole/,
    action: /^s3:ListBucket$/,
    reason: 'A result, or settings, that are not there must not read as what is forbidden',
  },
  {
    holder: anyFunction,
    action: /^states:SendTaskFailure$/,
    reason: 'A dispatcher that died, and a result that no state can have: the token is failed instead',
  },
  {
    holder: /(OpenCampaign|DispatchBatch|RunReboots|RollBack)Role|PatchMember/,
    action: /^ssm:(DescribeDocument|GetDocument|SendCommand)$/,
    resource: /:document\/Quarterdeck-(Amazon|Arch|Rhel|Suse)-(Prepare|Patch|Verify|Rollback|Reboot)$/,
    reason:
      'Servers of recorded campaigns are of the Debian family; the documents of the others are sent alike',
  },
  {
    holder: /(RollBack|ShowRollback)Role/,
    action:
      /^(ssm:(ListCommands|SendCommand)|sns:Publish|s3:(GetObject|PutObject|ListBucket)|dynamodb:PutItem)$/,
    reason:
      'The recorded rollback by hand is a dry run in one place; in earnest it is sent, reported and told by the same grants',
  },
  {
    holder: /DecideRootVolumeRole|PatchMember/,
    action:
      /^kms:(CreateGrant|Decrypt|DescribeKey|GenerateDataKeyWithoutPlaintext|ReEncryptFrom|ReEncryptTo)$/,
    resource: /:key\/\*$/,
    reason: 'EC2 asks for them where a snapshot is encrypted, which moto does not play',
  },
  {
    holder: /DispatchBatchRole|PatchMember/,
    action: /^ssm:SendCommand$/,
    resource: /:document\/Quarterdeck-Debian-Rollback$/,
    reason:
      'The server that goes back in recorded campaigns is a canary in one place; in the others it is sent alike',
  },
  {
    holder: /RunRebootsRole/,
    action: /^ssm:ListCommands$/,
    reason: 'Whoever comes after an interruption looks whether the reboot was sent',
  },
  {
    holder: /AskZonesRole/,
    action: /^ssm:ListCommandInvocations$/,
    reason: 'Who sends has the one grant on commands; what servers say is read by who shows it',
  },
  {
    holder: /(TendBackups|TestRestores|VerifyBackups)Role/,
    action: /^s3:DeleteObject$/,
    reason: 'A backup goes when it has had its time, which no recorded campaign lives to see',
  },
  {
    holder: /BackupsCopyRole/,
    action: /^(s3|kms|sts):/,
    reason: 'S3 copies backups to their second Region, which moto does not',
  },
  {
    holder: /SettingsWriter|AWS679f53fac002430cb0da5b7982bd2287/,
    action: /^kms:Decrypt$/,
    reason: 'What PutObject takes when the SDK sends an object in parts',
  },
  {
    holder: /PatchingCampaignRole/,
    action: /^kms:(Decrypt|GenerateDataKey)$|^s3:/,
    reason: 'Readers and writers of maps: Step Functions does what the embedded engine does without a role',
  },
  {
    holder: /AWS679f53fac002430cb0da5b7982bd2287/,
    action: /^logs:CreateLogGroup$/,
    reason: "CDK's own function has AWS's policy for logs, which can make the group too",
  },
  {
    holder: /PatchingCampaignRole/,
    action: /^lambda:InvokeFunction$/,
    resource: /:\$LATEST$/,
    reason: 'What CDK gives for the one version there is; a state calls the function by its bare ARN',
  },
  {
    holder: /PatchingCampaignRole/,
    action: /^states:(Describe|Stop|Redrive)Execution$/,
    resource: /:\*$/,
    reason: 'Children of maps whose name has no label: the pattern of AWS for Distributed Map has both',
  },
  {
    holder:
      /SweeperRole|BackupCareRole|RebootsRole|Schedules(Launcher|SyncRole|DailyRole|QuarterlyRole|CheckRole)/,
    action: /^lambda:InvokeFunction$/,
    resource: /:\*$/,
    reason: 'What CDK gives a schedule: any version of the one function that it calls',
  },
  {
    holder: /SettleEventsRole/,
    action: /^sqs:(ChangeMessageVisibility|GetQueueUrl)$/,
    reason: 'What CDK gives whoever takes messages; Lambda asks for less',
  },
  {
    holder: /(Sweep|LaunchCampaign|PlanSchedules|CheckFirings|SyncServers)Role|SchedulesLauncher/,
    action: /^sqs:(GetQueueAttributes|GetQueueUrl)$/,
    reason: 'What CDK gives whoever sends messages; Lambda asks for less',
  },
  {
    holder: /EventsQueuePolicy/,
    action: /^sqs:(GetQueueAttributes|GetQueueUrl)$/,
    reason: 'What CDK gives whoever sends messages; EventBridge asks for less',
  },
];

export function siftRights(unused: readonly Grant[], rare: readonly RareRight[]) {
  const explains = ({ holder, action, resource }: RareRight, grant: Grant) =>
    grant.holders.some((each) => holder.test(each)) &&
    action.test(grant.action) &&
    (resource === undefined || resource.test(grant.resource));
  return {
    unexplained: unused.filter((grant) => !rare.some((entry) => explains(entry, grant))),
    stale: rare.filter((entry) => !unused.some((grant) => explains(entry, grant))),
  };
}
