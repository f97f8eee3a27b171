/** Owns the state machine of campaigns: its definition, its role, and the version and alias that campaigns start on. */
import { readFileSync } from 'node:fs';
import { ArnFormat, CfnDeletionPolicy, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  type CfnStateMachine,
  CfnStateMachineAlias,
  CfnStateMachineVersion,
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type StepName, stepToken } from '../../core/steps.ts';
import { fileOf } from '../repository.ts';
import type { CampaignBucket } from './campaign-bucket.ts';
import type { PatchFunction } from './patch-function.ts';
import { acknowledgePatterns, giveRight } from './right.ts';

const definitionFile = fileOf('state-machines', 'campaign.asl.json');

const aliasName = 'live';

export interface CampaignMachineProps {
  readonly steps: Readonly<Record<StepName, PatchFunction>>;
  readonly bucket: CampaignBucket;
  readonly logRetention: RetentionDays;
}

export class CampaignMachine extends Construct {
  readonly machine: StateMachine;
  private readonly role: Role;
  private readonly alias: CfnStateMachineAlias;
  private callbacks: Policy | undefined;

  constructor(scope: Construct, id: string, { steps, bucket, logRetention }: CampaignMachineProps) {
    super(scope, id);
    const stepFunctions = Object.entries(steps) as [StepName, PatchFunction][];
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    // CDK gives it for traces and logs.
    acknowledgePatterns(this.role, ['*'], 'X-Ray and the delivery of logs know no resources');
    this.machine = new StateMachine(this, 'Machine', {
      role: this.role,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromFile(definitionFile),
      // Functions without a version: what a campaign of weeks calls gets its fixes. They take what the release
      // before wrote; the definition, which does not, is what is versioned.
      definitionSubstitutions: Object.fromEntries(
        stepFunctions.map(([step, { handler }]) => [stepToken(step), handler.functionArn]),
      ),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          // Named, though nothing else is: under this prefix deliveries need no entry each in the account's one policy
          // for logs, which has 5 KB. The id of the stack keeps two from meeting; no state is in it.
          logGroupName: `/aws/vendedlogs/states/${Fn.select(2, Fn.split('/', Stack.of(this).stackId))}`,
          retention: logRetention,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        // Task tokens would be among the data.
        includeExecutionData: false,
      },
    });
    for (const [, { handler }] of stepFunctions) handler.grantInvokeLatestVersion(this.machine);
    bucket.grantMaps(this.role);
    const maps = this.letStartChildren();

    const version = new CfnStateMachineVersion(this, 'Version', {
      stateMachineArn: this.machine.stateMachineArn,
      // Changes with the definition, and so makes the next version.
      stateMachineRevisionId: (this.machine.node.defaultChild as CfnStateMachine).attrStateMachineRevisionId,
    });
    // A version that campaigns run on stays, and the alias goes back to it when a deployment is rolled back.
    version.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
    version.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    this.alias = new CfnStateMachineAlias(this, 'Alias', {
      name: aliasName,
      description: 'Campaigns start here',
      routingConfiguration: [{ stateMachineVersionArn: version.attrArn, weight: 100 }],
    });
    this.alias.node.addDependency(maps);
  }

  grantStart(fn: PatchFunction): void {
    // Step Functions authorizes a start on an alias by the machine's own ARN; the condition keeps it to the alias.
    fn.allow({
      actions: ['states:StartExecution'],
      resources: [this.machine.stateMachineArn],
      conditions: { 'ForAnyValue:StringEquals': { 'states:StateMachineQualifier': [aliasName] } },
    });
    fn.setVariable('stateMachine', this.alias.attrArn);
  }

  /**
   * In a policy of its own: a function that is a step of the machine can not wait for the machine, which waits for it.
   */
  grantCallbacks(fn: PatchFunction): void {
    this.callbacks ??= new Policy(this, 'Callbacks', {
      statements: [
        new PolicyStatement({
          actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
          // Tokens of a Distributed Map's children belong to the machine under the map's label.
          resources: ['', ...mapLabels(waitsForTokens).map((label) => `/${label}`)].map(
            (suffix) => `${this.machine.stateMachineArn}${suffix}`,
          ),
        }),
      ],
    });
    this.callbacks.attachToRole(fn.role);
  }

  /** In a policy of its own: within the machine's own role, which the machine waits for, it would be a cycle. */
  private letStartChildren(): Policy {
    const execution = (name: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${this.machine.stateMachineName}${name}`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const policy = new Policy(this, 'DistributedMap', { roles: [this.role] });
    giveRight(policy, { actions: ['states:StartExecution'], resources: [this.machine.stateMachineArn] });
    giveRight(policy, {
      actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
      // The children of every execution, under its own name or that of a map.
      resources: [execution(':*'), ...mapLabels().map((label) => execution(`/${label}:*`))],
      why: 'Children of this state machine only; Step Functions chooses their names',
    });
    return policy;
  }
}

interface State {
  readonly Label?: string;
}

/** `Label` of every Distributed Map in the definition: part of its children's names. */
function mapLabels(isAsked = (_map: State) => true): string[] {
  const definition: { States: Record<string, State> } = JSON.parse(readFileSync(definitionFile, 'utf8'));
  return Object.values(definition.States)
    .filter(isAsked)
    .flatMap(({ Label }) => Label ?? []);
}

function waitsForTokens(map: State): boolean {
  return JSON.stringify(map).includes('.waitForTaskToken"');
}
