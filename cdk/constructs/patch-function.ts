/** Owns a function of ours: its code, role, logs and limits. Rights come from the constructs that own what it touches. */
import { Duration, RemovalPolicy, Size, Stack, Token } from 'aws-cdk-lib';
import { type IGrantable, type IPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, type CfnFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { callNames, functionNameIn } from '../../core/calls.ts';
import { type EnvironmentKey, environmentNames } from '../../lambdas/environment.ts';
import { type FunctionName, type FunctionShape, functions } from '../../lambdas/functions.ts';
import { fileOf, repositoryRoot } from '../repository.ts';
import { acknowledgePatterns, giveRight, type Right } from './right.ts';

/** By which the roles of other accounts know ours. */
export const functionRolePath = '/quarterdeck/';

export interface FunctionNetwork {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
}

export interface PatchFunctionProps {
  readonly name: FunctionName;
  readonly logRetention: RetentionDays;
  readonly reservedConcurrency?: number | undefined;
  readonly network?: FunctionNetwork | undefined;
}

/** Those that the command line calls have a name that it knows; the others have what CloudFormation gives them. */
function nameForPeople(scope: Construct, name: FunctionName): { functionName?: string } {
  const { stackName } = Stack.of(scope);
  const isCalled = callNames.some((call) => call === name);
  return isCalled && !Token.isUnresolved(stackName) ? { functionName: functionNameIn(stackName, name) } : {};
}

export class PatchFunction extends Construct implements IGrantable {
  readonly name: FunctionName;
  readonly handler: NodejsFunction;
  readonly grantPrincipal: IPrincipal;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: PatchFunctionProps) {
    super(scope, id);
    this.name = props.name;
    const shape: FunctionShape = functions[props.name];
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      path: functionRolePath,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    this.grantPrincipal = this.role;
    logGroup.grantWrite(this.role);
    this.handler = new NodejsFunction(this, 'Function', {
      description: shape.description,
      ...nameForPeople(this, props.name),
      entry: fileOf('lambdas', `${props.name}.ts`),
      // Said here, since without feature flags CDK chooses one that is obsolete.
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(shape.timeoutSeconds),
      memorySize: shape.memoryMb,
      ...(shape.scratchMb !== undefined && { ephemeralStorageSize: Size.mebibytes(shape.scratchMb) }),
      role: this.role,
      logGroup,
      tracing: Tracing.ACTIVE,
      projectRoot: repositoryRoot,
      depsLockFilePath: fileOf('package-lock.json'),
      environment: { NODE_OPTIONS: '--enable-source-maps' },
      bundling: {
        format: OutputFormat.ESM,
        mainFields: ['module', 'main'],
        target: 'node24',
        minify: true,
        sourceMap: true,
        // The SDK that a function was tested with is the one that it runs with.
        externalModules: [],
        // Packages that are still CommonJS call require for Node's own modules.
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
    });
    // CDK gives it for traces.
    acknowledgePatterns(this.role, ['*'], 'X-Ray takes traces on no resource');
    if (props.network) this.joinNetwork(props.network);
  }

  allow(right: Right): void {
    giveRight(this.role, right);
  }

  setVariable(key: EnvironmentKey, value: string): void {
    this.handler.addEnvironment(environmentNames[key], value);
  }

  /** By ids alone: looking a VPC up needs credentials at synthesis. */
  private joinNetwork({ subnets, securityGroups }: FunctionNetwork): void {
    const cfn = this.handler.node.defaultChild as CfnFunction;
    cfn.vpcConfig = { subnetIds: [...subnets], securityGroupIds: [...securityGroups] };
    this.allow({
      actions: [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      // As in AWSLambdaVPCAccessExecutionRole, without its rights on every log group.
      resources: ['*'],
      why: 'Lambda asks for the right to make its interfaces on all of them',
    });
  }
}
