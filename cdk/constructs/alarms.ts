/** Owns what wakes people: each alarm says what a user loses and names its heading in the runbook. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Construct } from 'constructs';
import { type FunctionName, functions } from '../../lambdas/functions.ts';
import {
  badBackupsMetric,
  countingFunctions,
  failedRebootsMetric,
  failedRestoresMetric,
  failedSnapshotsMetric,
  measureMetrics,
  metricNamespace,
  notStartedMetric,
  silentMetric,
} from '../../lambdas/metric-names.ts';
import type { CampaignMachine } from './campaign-machine.ts';
import type { CampaignSchedules } from './campaign-schedules.ts';
import type { CommandEvents } from './command-events.ts';
import type { NoticeTopic } from './notice-topic.ts';
import type { PatchFunction } from './patch-function.ts';
import type { Sweeper } from './sweeper.ts';

export interface AlarmsProps {
  readonly topic: NoticeTopic;
  readonly machine: CampaignMachine;
  readonly events: CommandEvents;
  readonly sweeper: Sweeper;
  readonly schedules: CampaignSchedules;
  readonly functions: Readonly<Record<FunctionName, PatchFunction>>;
  readonly steps: readonly FunctionName[];
}

interface AlarmShape {
  /** Heading in docs/runbook.md, as its anchor. */
  readonly heading: string;
  /** What a user loses. */
  readonly loss: string;
  readonly metric: IMetric;
  readonly threshold?: number;
  readonly periods?: number;
  /** Missing data is as bad as bad data. */
  readonly alarmWhenSilent?: boolean;
  readonly below?: boolean;
}

const period = Duration.minutes(5);

/** Called by schedules, and by nobody who would see them fail. */
const planners: readonly FunctionName[] = ['plan-schedules', 'launch-campaign', 'check-firings'];

const keepers: readonly FunctionName[] = ['tend-backups', 'test-restores', 'expire-snapshots'];

/** More metrics no alarm takes. */
const mostMetrics = 10;

export class Alarms extends Construct {
  private readonly action: SnsAction;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.action = new SnsAction(props.topic.topic);
    this.watchCampaigns(props);
    this.watchEvents(props);
    this.watchSweeper(props);
    this.watchSchedules(props);
    this.watchServers();
    this.watchBackups(props);
    this.watchReboots(props);
    this.watchFunctions(props);
  }

  private watchCampaigns({ machine: { machine } }: AlarmsProps): void {
    this.add('CampaignsFailed', {
      heading: 'a-campaign-failed',
      loss: 'A campaign was stopped, missed its window or broke: part of its servers, or all, are not patched.',
      metric: machine.metricFailed({ period, statistic: 'sum' }),
    });
    this.add('CampaignsTimedOut', {
      heading: 'a-campaign-timed-out',
      loss: 'A campaign ran into its limit of 90 days: its servers are not patched, and it wrote no report.',
      metric: machine.metricTimedOut({ period, statistic: 'sum' }),
    });
    this.add('CampaignsAborted', {
      heading: 'a-campaign-was-aborted',
      loss: 'Somebody ended an execution by hand: commands may still run on servers, and jobs have no end.',
      metric: machine.metricAborted({ period, statistic: 'sum' }),
    });
  }

  private watchEvents({ events, functions: all }: AlarmsProps): void {
    this.add('EventsLost', {
      heading: 'events-were-given-up',
      loss: 'What servers answered was not taken in: campaigns go on only as fast as the sweeper looks.',
      metric: events.deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'max' }),
    });
    this.add('EventsLate', {
      heading: 'events-wait-too-long',
      loss: 'Campaigns hear late of their servers, and may not fit into their windows.',
      metric: events.queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'max' }),
      // An event that came before its command was recorded waits for one visibility timeout.
      threshold: 30 * 60,
    });
    this.add('EventsFailing', {
      heading: 'events-can-not-be-settled',
      loss: 'What servers answer is not taken in: campaigns wait, and may not fit into their windows.',
      metric: all['settle-events'].handler.metricErrors({ period, statistic: 'sum' }),
      periods: 3,
    });
  }

  private watchSweeper({ sweeper, functions: { sweep } }: AlarmsProps): void {
    this.add('SweeperSilent', {
      heading: 'the-sweeper-does-not-run',
      loss: 'A campaign whose events get lost waits until it times out.',
      metric: sweep.handler.metricInvocations({ period: Duration.minutes(15), statistic: 'sum' }),
      threshold: 1,
      // A deployment can move the schedule by one period.
      periods: 2,
      below: true,
      alarmWhenSilent: true,
    });
    this.add('SweeperFailing', {
      heading: 'the-sweeper-fails',
      loss: 'A campaign whose events get lost waits until it times out.',
      metric: sweep.handler.metricErrors({ period, statistic: 'sum' }),
      periods: 3,
    });
    this.add('SweepsLost', {
      heading: 'sweeps-were-given-up',
      loss: 'A sweep could not be started, or failed: a campaign whose events get lost goes on five minutes later, or never.',
      metric: sweeper.deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'max' }),
    });
  }

  private watchSchedules({ schedules, functions: all }: AlarmsProps): void {
    this.add('CampaignsNotStarted', {
      heading: 'campaigns-did-not-start',
      loss: 'Planned campaigns have not started, or will not: their servers are not patched in their windows.',
      metric: counted(notStartedMetric, 'check-firings'),
    });
    this.add('StartsLost', {
      heading: 'starts-were-given-up',
      loss: 'A campaign could not be started, or the plan not be made: it is tried again within twelve hours.',
      metric: schedules.deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'max' }),
    });
    // The sweeper looks; when that is silent, too, its own alarm says so.
    this.add('PlanningSilent', {
      heading: 'planning-is-silent',
      loss: 'The plan of the day or the check of starts has not been made for 27 hours: campaigns are forgotten, and nobody hears of it.',
      metric: counted(silentMetric, 'sweep'),
    });
    this.add('PlanningFailing', {
      heading: 'campaigns-can-not-be-planned',
      loss: 'Campaigns are started late or not at all, and changes of servers and schedules change nothing.',
      metric: sumOf(planners.map((name) => all[name].handler.metricErrors({ period, statistic: 'sum' }))),
    });
  }

  private watchServers(): void {
    const measured = (measure: keyof typeof measureMetrics) =>
      sumOf(countingFunctions.map((name) => counted(measureMetrics[measure], name)));
    this.add('RollbacksFailed', {
      heading: 'a-rollback-failed',
      loss: 'A server is broken since its patch: it did not come back to what it was before.',
      metric: measured('rollbacks-failed'),
    });
    this.add('BackupsFailed', {
      heading: 'a-backup-failed',
      loss: 'A server has no good backup of before its patch: it was not patched, or is a risk that somebody waived.',
      metric: measured('backups-failed'),
    });
    this.add('FilesChanged', {
      heading: 'files-are-not-as-their-packages-brought-them',
      loss: 'Somebody or something changed programs on a server while it was patched, or its disk is failing.',
      metric: measured('files-changed'),
    });
  }

  private watchBackups({ functions: all }: AlarmsProps): void {
    this.add('BackupsBad', {
      heading: 'a-backup-is-not-good',
      loss: 'A server can not be restored from the backup that was made before its patch.',
      metric: counted(badBackupsMetric, 'tend-backups'),
    });
    this.add('RestoresFailed', {
      heading: 'a-restore-test-failed',
      loss: 'Backups did not come back as they were: do not rely on them.',
      metric: counted(failedRestoresMetric, 'test-restores'),
    });
    this.add('SnapshotsFailed', {
      heading: 'a-snapshot-failed',
      loss: 'The disks of a server can not be brought back as they were before its patch.',
      metric: counted(failedSnapshotsMetric, 'expire-snapshots'),
    });
    this.add('BackupsUnattended', {
      heading: 'backups-are-not-looked-after',
      loss: 'Nobody reads backups, tests restores, or removes backups and snapshots that have had their time.',
      metric: sumOf(keepers.map((name) => all[name].handler.metricErrors({ period, statistic: 'sum' }))),
    });
  }

  private watchReboots({ functions: all }: AlarmsProps): void {
    this.add('RebootsFailed', {
      heading: 'a-reboot-failed',
      loss: 'A server was to be restarted and may be down, or still runs what its update replaced.',
      metric: counted(failedRebootsMetric, 'run-reboots'),
    });
    this.add('RebootsStuck', {
      heading: 'reboots-are-not-looked-at',
      loss: 'Reboots miss their windows, and nobody hears of those that were sent.',
      metric: all['run-reboots'].handler.metricErrors({ period, statistic: 'sum' }),
      periods: 3,
    });
  }

  private watchFunctions({ functions: all, steps }: AlarmsProps): void {
    const handlers = (names: readonly FunctionName[]) => names.map((name) => all[name].handler);
    const others = (Object.keys(functions) as FunctionName[]).filter(
      (name) =>
        !steps.includes(name) &&
        !planners.includes(name) &&
        !keepers.includes(name) &&
        name !== 'run-reboots' &&
        name !== 'sweep' &&
        name !== 'settle-events',
    );
    this.add('StepsFailing', {
      heading: 'steps-of-campaigns-fail',
      loss: 'A step of a campaign fails again and again: batches are given up, or the campaign breaks.',
      metric: sumOf(
        handlers(steps.filter((name) => name !== 'dispatch-batch')).map((handler) =>
          handler.metricErrors({ period, statistic: 'sum' }),
        ),
      ),
      // Each step is tried four times; one campaign of one server that fails for good has as many errors.
      threshold: 4,
    });
    this.add('DispatchFailing', {
      heading: 'commands-can-not-be-sent',
      loss: 'Batches wait for their commands: they are late, and in the end given up.',
      metric: all['dispatch-batch'].handler.metricErrors({ period, statistic: 'sum' }),
      // Throttling by Run Command is an error of the function, too, and passes by itself.
      periods: 3,
    });
    for (let first = 0; first < others.length; first += mostMetrics) {
      const errors = handlers(others.slice(first, first + mostMetrics)).map((handler) =>
        handler.metricErrors({ period, statistic: 'sum' }),
      );
      this.add(`RequestsFailing${first === 0 ? '' : first / mostMetrics + 1}`, {
        heading: 'requests-of-people-fail',
        loss: 'Somebody asked for something, creating or stopping a campaign, say, and it was not done.',
        metric: sumOf(errors),
      });
    }
    this.add('StepsThrottled', {
      heading: 'functions-are-throttled',
      loss: 'Campaigns are slow, and may not fit into their windows.',
      metric: sumOf(handlers(steps).map((handler) => handler.metricThrottles({ period, statistic: 'sum' }))),
      threshold: 10,
      periods: 3,
    });
  }

  private add(id: string, shape: AlarmShape): void {
    const { heading, loss, metric, threshold = 1, periods = 1 } = shape;
    const alarm = new Alarm(this, id, {
      alarmDescription: `${loss} What to do: docs/runbook.md#${heading}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator:
        shape.below === true
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData:
        shape.alarmWhenSilent === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.action);
  }
}

/** What a function counted by itself. */
function counted(metricName: string, service: FunctionName): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName,
    dimensionsMap: { service },
    period,
    statistic: 'sum',
  });
}

function sumOf(metrics: readonly IMetric[]): MathExpression {
  if (metrics.length > mostMetrics)
    throw new Error(`an alarm takes ten metrics, these are ${metrics.length}: split it`);
  const named = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  return new MathExpression({ expression: 'SUM(METRICS())', usingMetrics: named, period });
}
