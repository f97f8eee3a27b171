/** Owns what nobody may do, although it looks much like what they do: each is refused, and by whom it says. */
import type { DeployedAccess } from './deployed-access.ts';
import { type AccessRequest, accountOf } from './request.ts';

export interface Forbidden extends AccessRequest {
  /** Refused by a statement that denies, and not for want of one that allows. */
  readonly isDenied?: true;
}

/** @param servers ARN of the role of servers, by account; the first is home's */
export function forbiddenRequests(
  { home, roleOf, arnOfOne }: DeployedAccess,
  servers: readonly string[],
): Forbidden[] {
  const { account, region, partition } = home;
  const arn = (service: string, resource: string, of = account) =>
    `arn:${partition}:${service}:${region}:${of}:${resource}`;
  const bucket = arnOfOne('AWS::S3::Bucket', 'PatchingCampaignsBucket');
  const backups = arnOfOne('AWS::S3::Bucket', 'PatchingBackupsBucket');
  const table = arnOfOne('AWS::DynamoDB::Table');
  const machine = arnOfOne('AWS::StepFunctions::StateMachine');
  const queue = arnOfOne('AWS::SQS::Queue', 'PatchingEventsQueue');
  const topic = arnOfOne('AWS::SNS::Topic');
  const dispatcher = roleOf('dispatch-batch');
  const instance = arn('ec2', 'instance/i-0123456789abcdef0');
  const snapshot = `arn:${partition}:ec2:${home.region}::snapshot/snap-0123456789abcdef0`;
  const tagged = { 'ssm:resourceTag/patching': 'yes' };
  const inHome = { 's3:ResourceAccount': account };
  const unsafe = { 'aws:SecureTransport': 'false' };
  const request = (
    from: string,
    principal: string,
    action: string,
    resource: string,
    context: AccessRequest['context'] = {},
  ): Forbidden => ({
    from,
    principal,
    action,
    resource,
    account: accountOf(resource) || account,
    context,
  });
  const denied = (...of: Parameters<typeof request>): Forbidden => ({ ...request(...of), isDenied: true });
  return [
    request('a server without the tag', dispatcher, 'ssm:SendCommand', instance),
    request('a server whose tag says no', dispatcher, 'ssm:SendCommand', instance, {
      'ssm:resourceTag/patching': 'no',
    }),
    request(
      "AWS's document for any script",
      dispatcher,
      'ssm:SendCommand',
      arn('ssm', 'document/AWS-RunShellScript'),
    ),
    request(
      'a document of somebody else',
      dispatcher,
      'ssm:SendCommand',
      arn('ssm', 'document/Quarterdeck-Other'),
    ),
    request(
      'a tagged server of another account, past its role',
      dispatcher,
      'ssm:SendCommand',
      arn('ec2', 'instance/i-0123456789abcdef0', '222222222222'),
      tagged,
    ),
    request('a function that sends nothing', roleOf('settle-events'), 'ssm:SendCommand', instance, tagged),
    request(
      'the disks of a server without the tag',
      roleOf('snapshot-batch'),
      'ec2:CreateSnapshots',
      instance,
      { 'aws:ResourceTag/patching': 'no' },
    ),
    request('a snapshot without our tags, made', roleOf('snapshot-batch'), 'ec2:CreateSnapshots', snapshot),
    request('tags of a snapshot that is there', roleOf('snapshot-batch'), 'ec2:CreateTags', snapshot, {
      'aws:RequestTag/quarterdeck:campaign': 'campaign-0001',
    }),
    request(
      'a snapshot of somebody else, deleted',
      roleOf('expire-snapshots'),
      'ec2:DeleteSnapshot',
      snapshot,
    ),
    request(
      'a snapshot that is deleted by who takes them',
      roleOf('snapshot-batch'),
      'ec2:DeleteSnapshot',
      snapshot,
      {
        'aws:ResourceTag/quarterdeck:campaign': 'campaign-0001',
      },
    ),
    request(
      'the root volume of a server without the tag',
      roleOf('decide-root-volume'),
      'ec2:CreateReplaceRootVolumeTask',
      instance,
    ),
    request(
      'a root volume of what is no snapshot of ours',
      roleOf('decide-root-volume'),
      'ec2:CreateReplaceRootVolumeTask',
      snapshot,
    ),
    request(
      'a root volume replaced by who only asks for it',
      roleOf('request-root-volume'),
      'ec2:CreateReplaceRootVolumeTask',
      snapshot,
      { 'aws:ResourceTag/quarterdeck:campaign': 'campaign-0001' },
    ),
    request(
      'the key of a disk, past EC2',
      roleOf('decide-root-volume'),
      'kms:Decrypt',
      arn('kms', 'key/11111111-2222-3333-4444-555555555555'),
      { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' },
    ),
    request(
      'alarms of a Region without places',
      roleOf('judge-wave'),
      'cloudwatch:DescribeAlarms',
      arn('cloudwatch', 'alarm:any'),
      {
        'aws:RequestedRegion': 'ap-south-1',
      },
    ),
    request('a Region without places', roleOf('sweep'), 'ssm:ListCommandInvocations', '*', {
      'aws:RequestedRegion': 'ap-south-1',
    }),
    request(
      "another role of the functions' account",
      roleOf('dispatch-batch'),
      'sts:AssumeRole',
      `arn:${partition}:iam::222222222222:role/Admin`,
    ),
    request(
      'a schedule of another group',
      roleOf('plan-schedules'),
      'scheduler:CreateSchedule',
      arn('scheduler', 'schedule/default/other'),
    ),
    request(
      'a schedule, by somebody who only looks',
      roleOf('check-firings'),
      'scheduler:UpdateSchedule',
      `${arnOfOne('AWS::Scheduler::ScheduleGroup').replace(':schedule-group/', ':schedule/')}/campaign-0001`,
    ),
    request(
      'another role for a schedule',
      roleOf('plan-schedules'),
      'iam:PassRole',
      arnOfOne('AWS::IAM::Role', 'PatchingCampaignRole'),
      { 'iam:PassedToService': 'scheduler.amazonaws.com' },
    ),
    request(
      'the role of schedules for something else',
      roleOf('plan-schedules'),
      'iam:PassRole',
      arnOfOne('AWS::IAM::Role', 'PatchingSchedulesLauncher'),
      { 'iam:PassedToService': 'lambda.amazonaws.com' },
    ),
    request(
      'the role of schedules, for a group of somebody else',
      'scheduler.amazonaws.com',
      'sts:AssumeRole',
      arnOfOne('AWS::IAM::Role', 'PatchingSchedulesLauncher'),
      { 'aws:SourceAccount': account, 'aws:SourceArn': arn('scheduler', 'schedule-group/other') },
    ),
    request('a campaign past the alias', roleOf('create-campaign'), 'states:StartExecution', machine),
    request('a campaign on another alias', roleOf('create-campaign'), 'states:StartExecution', machine, {
      'states:StateMachineQualifier': ['next'],
    }),
    request('a result in the name of a server', dispatcher, 's3:PutObject', `${bucket}/servers/x/y`, inHome),
    request('other settings', roleOf('create-campaign'), 's3:PutObject', `${bucket}/settings/x.json`, inHome),
    request('an object that is gone', roleOf('close-campaign'), 's3:DeleteObject', `${bucket}/campaigns/x`),
    request('an item that is gone', roleOf('close-campaign'), 'dynamodb:DeleteItem', table),
    request('everything in the table', roleOf('sweep'), 'dynamodb:Scan', table),
    ...servers.flatMap((role) => [
      request('orders made by a server', role, 's3:PutObject', `${bucket}/orders/x.txt`, {
        ...inHome,
        'ec2:SourceInstanceARN': arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role)),
      }),
      request(
        'a result in the name of another server',
        role,
        's3:PutObject',
        `${bucket}/servers/${arn('ec2', 'instance/i-0000000000000000a', accountOf(role))}/c/patch.gz`,
        { ...inHome, 'ec2:SourceInstanceARN': arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role)) },
      ),
      request(
        "a result by somebody with the role and no server's session",
        role,
        's3:PutObject',
        `${bucket}/servers/AROA1234567890ABCDEFG:somebody/c/patch.gz`,
        { ...inHome, 'aws:userid': 'AROA1234567890ABCDEFG:somebody' },
      ),
      request(
        'the results of others, read by a server',
        role,
        's3:GetObject',
        `${bucket}/servers/x/y`,
        inHome,
      ),
      request('a hook made by a server', role, 's3:PutObject', `${bucket}/hooks/drain.sh`, {
        ...inHome,
        'ec2:SourceInstanceARN': arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role)),
      }),
      request(
        'a backup of its own, read by a server',
        role,
        's3:GetObject',
        `${backups}/backups/${arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role))}/c/configuration.tar.gz`,
        { ...inHome, 'ec2:SourceInstanceARN': arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role)) },
      ),
      request('a backup removed by a server', role, 's3:DeleteObject', `${backups}/backups/x/y`, inHome),
      request(
        'a backup in the name of another server',
        role,
        's3:PutObject',
        `${backups}/backups/${arn('ec2', 'instance/i-0000000000000000a', accountOf(role))}/c/configuration.tar.gz`,
        { ...inHome, 'ec2:SourceInstanceARN': arn('ec2', 'instance/i-0123456789abcdef0', accountOf(role)) },
      ),
      request('the list of the bucket', role, 's3:ListBucket', bucket, inHome),
      request('orders from the bucket of a stranger', role, 's3:GetObject', `${bucket}/orders/x.txt`, {
        's3:ResourceAccount': '999999999999',
      }),
    ]),
    // Where another account's policy lets its servers write, ours still says under which name.
    request(
      'a result in the name of a server of another account',
      servers[1] ?? '',
      's3:PutObject',
      `${bucket}/servers/${instance}/c/patch.gz`,
      { ...inHome, 'ec2:SourceInstanceARN': instance },
    ),
    request('events of another rule', 'events.amazonaws.com', 'sqs:SendMessage', queue, {
      'aws:SourceArn': arn('events', 'rule/other'),
    }),
    request('alarms of another account', 'cloudwatch.amazonaws.com', 'sns:Publish', topic, {
      'aws:SourceAccount': '999999999999',
    }),
    denied('objects in the clear', dispatcher, 's3:GetObject', `${bucket}/orders/x.txt`, {
      ...inHome,
      ...unsafe,
    }),
    denied('objects by old TLS', dispatcher, 's3:GetObject', `${bucket}/orders/x.txt`, {
      ...inHome,
      's3:TlsVersion': '1.1',
    }),
    denied('notices in the clear', roleOf('close-campaign'), 'sns:Publish', topic, unsafe),
    denied('messages in the clear', roleOf('settle-events'), 'sqs:ReceiveMessage', queue, unsafe),
  ];
}
