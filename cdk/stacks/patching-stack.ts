/** Owns the stack of the home account and Region: the whole pipeline, and what a deployer has to know of it. */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Configuration } from '../../core/configuration.ts';
import { functions as shapes } from '../../lambdas/functions.ts';
import { PatchPipeline } from '../patch-pipeline.ts';

export class PatchingStack extends Stack {
  readonly pipeline: PatchPipeline;

  constructor(scope: Construct, configuration: Configuration) {
    const { name, home, notifications } = configuration;
    super(scope, name, {
      description: 'Quarterdeck: plans, approves and runs patching of Linux servers',
      env: home,
      terminationProtection: true,
    });
    const { environments, calendar, places, memberRole, hybridRoleId, optInTag } = configuration;
    const { backups, serverTags, defaultTimeZone, network, logRetentionDays, reservedConcurrency } =
      configuration;
    this.pipeline = new PatchPipeline(this, 'Patching', {
      environments,
      calendar,
      places,
      memberRole,
      hybridRoleId,
      optInTag,
      serverTags,
      defaultTimeZone,
      backups,
      emails: notifications.emails,
      network,
      logRetentionDays,
      reservedConcurrency,
    });
    const { functions, serverAccess, bucket, table, topic } = this.pipeline;
    this.tell(
      'ServerAccessPolicy',
      serverAccess.policy.managedPolicyArn,
      'attach it to the roles of servers',
    );
    this.tell('CampaignBucket', bucket.bucket.bucketName, 'plans, results and reports');
    this.tell('BackupBucket', this.pipeline.backups.bucket.bucketName, 'backups that servers made');
    this.tell('StateTable', table.table.tableName, 'campaigns, batches and jobs');
    this.tell('NoticeTopic', topic.topic.topicArn, 'notices and alarms');
    for (const name of [
      'create-campaign',
      'decide-approval',
      'stop-campaign',
      'pause-all',
      'resume-all',
      'plan-schedules',
      'acknowledge-failures',
      'request-root-volume',
      'decide-root-volume',
    ] as const) {
      const id = `${name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase())}Function`;
      this.tell(id, functions[name].handler.functionName, shapes[name].description);
    }
  }

  private tell(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
