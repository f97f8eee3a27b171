/** Owns when campaigns start: the group of their one-time schedules, who may call what, and the work of each day. */
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Schedule, ScheduleExpression, ScheduleGroup, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns } from './right.ts';

export interface CampaignSchedulesProps {
  /** Months, 1 to 12, on whose first day a quarter begins. */
  readonly quarterStarts: readonly number[];
  readonly launch: PatchFunction;
  readonly plan: PatchFunction;
  readonly check: PatchFunction;
  readonly sync: PatchFunction;
}

/** What could not be done within it is for the planning or the check that comes next. */
const patience = Duration.hours(1);

/** In UTC: the plan of the day is of the servers as they are. */
const sync = { hour: '3', minute: '40' } as const;
/** In UTC, twelve hours apart: what one of the two could not start, the other tries while windows are still ahead. */
const daily = { plan: { hour: '4', minute: '10' }, check: { hour: '16', minute: '10' } } as const;

export class CampaignSchedules extends Construct {
  readonly deadLetters: Queue;
  private readonly group: ScheduleGroup;
  /** Scheduler takes it on when a campaign is due. */
  private readonly launcher: Role;
  private readonly launch: PatchFunction;

  constructor(scope: Construct, id: string, { launch, plan, check, ...others }: CampaignSchedulesProps) {
    super(scope, id);
    this.launch = launch;
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue; an alarm watches it',
    });
    for (const { handler } of [launch, plan, check, others.sync]) {
      handler.configureAsyncInvoke({
        maxEventAge: patience,
        retryAttempts: 2,
        onFailure: new SqsDestination(this.deadLetters),
      });
    }
    // Schedules go with their group: what the stack has planned ends when the stack does.
    this.group = new ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    this.launcher = new Role(this, 'Launcher', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnEquals: { 'aws:SourceArn': this.group.scheduleGroupArn },
        },
      }),
    });
    launch.handler.grantInvoke(this.launcher);
    // CDK lets it call every version.
    const versions = `${launch.handler.functionArn}:*`;
    acknowledgePatterns(this.launcher, [versions], 'Versions of the one function that schedules call');
    this.deadLetters.grantSendMessages(this.launcher);
    this.add('Sync', 'Brings the inventory up to what EC2 and SSM say', sync, others.sync, {});
    this.add('Daily', 'Plans the campaigns of this quarter and the next', daily.plan, plan, {});
    this.add(
      'Quarterly',
      'Tells what the quarter holds that begins',
      { ...daily.plan, minute: '40', day: '1', month: others.quarterStarts.join(',') },
      plan,
      { announce: true },
    );
    this.add('Check', 'Looks for campaigns that did not start', daily.check, check, {});
  }

  /** One-time schedules, and the right to let Scheduler call the function that starts campaigns. */
  grantSchedules(fn: PatchFunction): void {
    fn.allow({
      actions: ['Create', 'Update', 'Delete'].map((verb) => `scheduler:${verb}Schedule`),
      ...this.all(),
    });
    fn.allow({
      actions: ['iam:PassRole'],
      resources: [this.launcher.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
    this.grantLooking(fn);
  }

  /** What schedules there are, and nothing else. */
  grantLooking(fn: PatchFunction): void {
    fn.allow({ actions: ['scheduler:GetSchedule'], ...this.all() });
    fn.allow({
      actions: ['scheduler:ListSchedules'],
      // Of all groups: see the reason.
      resources: ['*'],
      why: 'ListSchedules knows no resources',
    });
    fn.setVariable('scheduleGroup', this.group.scheduleGroupName);
    fn.setVariable('scheduleTarget', this.launch.handler.functionArn);
    fn.setVariable('scheduleRole', this.launcher.roleArn);
    fn.setVariable('scheduleDeadLetters', this.deadLetters.queueArn);
  }

  private all(): { readonly resources: readonly string[]; readonly why: string } {
    const arn = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      // Of every campaign.
      resourceName: `${this.group.scheduleGroupName}/*`,
    });
    return {
      resources: [arn],
      why: 'Schedules carry the names of campaigns, which are made when a quarter is planned',
    };
  }

  private add(id: string, description: string, cron: CronOptions, fn: PatchFunction, input: object): void {
    const role = new Role(this, `${id}Role`, { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    // CDK lets a schedule call every version.
    const versions = `${fn.handler.functionArn}:*`;
    acknowledgePatterns(role, [versions], 'Versions of the one function that the schedule calls');
    new Schedule(this, id, {
      description,
      schedule: ScheduleExpression.cron(cron),
      target: new LambdaInvoke(fn.handler, {
        role,
        input: ScheduleTargetInput.fromObject(input),
        deadLetterQueue: this.deadLetters,
        maxEventAge: patience,
        retryAttempts: 10,
      }),
    });
  }
}

type CronOptions = Parameters<typeof ScheduleExpression.cron>[0];
