/** Owns what values of a template are once it is deployed: references, attributes, joined text. */
import type { Resource, Resources } from '../../support/synthesise.ts';

export interface Deployed {
  readonly resources: Resources;
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  /** Physical id, as `Ref` of most types gives it, by logical id; made up where nothing is said. */
  readonly physicalIds?: ReadonlyMap<string, string>;
}

/** Replaces every intrinsic function in the value. @throws Error for one that is not known here */
export function resolved(deployed: Deployed, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(deployed, item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, argument] = []] = entries;
  if (entries.length === 1 && name !== undefined && (name === 'Ref' || name.startsWith('Fn::')))
    return intrinsic(deployed, name, argument);
  return Object.fromEntries(entries.map(([key, item]) => [key, resolved(deployed, item)]));
}

function intrinsic(deployed: Deployed, name: string, argument: unknown): unknown {
  switch (name) {
    case 'Ref':
      return reference(deployed, String(argument));
    case 'Fn::GetAtt': {
      const [id, attribute] = argument as [string, string];
      return attributeOf(deployed, id, attribute);
    }
    case 'Fn::Join': {
      const [delimiter, parts] = argument as [string, unknown];
      return (resolved(deployed, parts) as unknown[]).join(delimiter);
    }
    case 'Fn::Split': {
      const [delimiter, text] = argument as [string, unknown];
      return String(resolved(deployed, text)).split(delimiter);
    }
    case 'Fn::Select': {
      const [index, list] = argument as [number, unknown];
      return (resolved(deployed, list) as unknown[])[index];
    }
    default:
      throw new Error(`${name} is not known to these tests: say in template-values.ts what it gives`);
  }
}

function reference(deployed: Deployed, id: string): string {
  const { account, region, partition } = deployed;
  const pseudo: Record<string, string> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': partition,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackId': `arn:${partition}:cloudformation:${region}:${account}:stack/stack/11111111-2222-3333-4444-555555555555`,
  };
  const found = pseudo[id];
  if (found !== undefined) return found;
  return refIsArn.has(resourceOf(deployed, id).Type) ? arnOf(deployed, id) : physicalIdOf(deployed, id);
}

const refIsArn: ReadonlySet<string> = new Set([
  'AWS::SNS::Topic',
  'AWS::StepFunctions::StateMachine',
  'AWS::StepFunctions::StateMachineAlias',
  'AWS::StepFunctions::StateMachineVersion',
  'AWS::IAM::ManagedPolicy',
]);

function attributeOf(deployed: Deployed, id: string, attribute: string): string {
  const { Type } = resourceOf(deployed, id);
  // Everything in the group, as CloudFormation has it.
  if (Type === 'AWS::Logs::LogGroup' && attribute === 'Arn') return `${arnOf(deployed, id)}:*`;
  if (attribute === 'Arn') return arnOf(deployed, id);
  if (Type === 'AWS::StepFunctions::StateMachine' && attribute === 'Name') return physicalIdOf(deployed, id);
  throw new Error(`${Type} has no attribute ${attribute} in template-values.ts: say there what it gives`);
}

export function physicalIdOf(deployed: Deployed, id: string): string {
  const known = deployed.physicalIds?.get(id) ?? nameOf(deployed, id);
  if (known !== undefined) return known;
  // Unlike logical ids, names are the account's and not the stack's; those of buckets know no capitals.
  const name = `${deployed.region}-${id}`;
  return resourceOf(deployed, id).Type === 'AWS::S3::Bucket' ? name.toLowerCase() : name;
}

function nameOf(deployed: Deployed, id: string): string | undefined {
  const { Type, Properties } = resourceOf(deployed, id);
  const { RoleName, LogGroupName, Name } = Properties;
  const named = Type === 'AWS::Scheduler::ScheduleGroup' ? Name : (RoleName ?? LogGroupName);
  const name = resolved(deployed, named);
  return typeof name === 'string' ? name : undefined;
}

function resourceOf({ resources }: Deployed, id: string): Resource {
  const found = resources[id];
  if (found === undefined) throw new Error(`the template has no resource ${id}`);
  return found;
}

/** Of the formats in which AWS writes them. Some physical ids are ARNs already. */
export function arnOf(deployed: Deployed, id: string): string {
  const physical = physicalIdOf(deployed, id);
  if (physical.startsWith('arn:')) return physical;
  const { partition, region, account } = deployed;
  const { Type, Properties } = resourceOf(deployed, id);
  const arn = (service: string, resource: string) =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  switch (Type) {
    case 'AWS::IAM::Role':
      return `arn:${partition}:iam::${account}:role${Properties.Path ?? '/'}${physical}`;
    case 'AWS::IAM::ManagedPolicy':
      return `arn:${partition}:iam::${account}:policy${Properties.Path ?? '/'}${physical}`;
    case 'AWS::S3::Bucket':
      return `arn:${partition}:s3:::${physical}`;
    case 'AWS::DynamoDB::Table':
      return arn('dynamodb', `table/${physical}`);
    case 'AWS::KMS::Key':
      return arn('kms', `key/${physical}`);
    case 'AWS::Lambda::Function':
      return arn('lambda', `function:${physical}`);
    case 'AWS::Logs::LogGroup':
      return arn('logs', `log-group:${physical}`);
    case 'AWS::SNS::Topic':
      return arn('sns', physical);
    case 'AWS::SQS::Queue':
      // `Ref` of a queue is its URL.
      return arn('sqs', physical.split('/').at(-1) ?? '');
    case 'AWS::Scheduler::ScheduleGroup':
      return arn('scheduler', `schedule-group/${physical}`);
    case 'AWS::Events::Rule':
      return arn('events', `rule/${physical}`);
    case 'AWS::StepFunctions::StateMachine':
      return arn('states', `stateMachine:${physical}`);
    case 'AWS::StepFunctions::StateMachineAlias':
    case 'AWS::StepFunctions::StateMachineVersion': {
      const qualifier = Type.endsWith('Alias') ? String(Properties.Name) : '1';
      return `${machineOf(deployed)}:${qualifier}`;
    }
    default:
      throw new Error(`${Type} has no ARN in template-values.ts: say there how AWS writes it`);
  }
}

function machineOf(deployed: Deployed): string {
  const [id] =
    Object.entries(deployed.resources).find(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine') ??
    [];
  return arnOf(deployed, String(id));
}
