/** Owns who has which rights once the stacks are deployed: roles with their policies, and the policies of resources. */
import type { Resource } from '../../support/synthesise.ts';
import type { PolicyDocument } from './simulator/simulator.ts';
import { arnOf, type Deployed, resolved } from './template-values.ts';

export interface AccessModel {
  readonly deployed: readonly Deployed[];
  /** By `<account>/<region>/<logical id>`. */
  readonly policies: Readonly<Record<string, PolicyDocument>>;
  /** Names of the policies that a role has, by its ARN. */
  readonly ofRole: ReadonlyMap<string, readonly string[]>;
  /** Name of the policy that a bucket, key, queue, topic, bus or role has itself, by its ARN. */
  readonly ofResource: ReadonlyMap<string, string>;
}

/** As AWS publishes them; a role of the stacks that has another one of AWS's policies fails here. */
const awsManaged: Readonly<Record<string, PolicyDocument>> = {
  'service-role/AWSLambdaBasicExecutionRole': {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '*',
      },
    ],
  },
};

export function accessModel(deployed: readonly Deployed[]): AccessModel {
  const policies: Record<string, PolicyDocument> = {};
  const ofRole = new Map<string, string[]>();
  const ofResource = new Map<string, string>();
  const give = (role: string, policy: string) => ofRole.set(role, [...(ofRole.get(role) ?? []), policy]);
  for (const stack of deployed) {
    for (const [id, resource] of Object.entries(stack.resources)) {
      const name = `${stack.account}/${stack.region}/${id}`;
      const add = (document: unknown, suffix = '') => {
        policies[name + suffix] = resolved(stack, document) as PolicyDocument;
        return name + suffix;
      };
      const { Properties } = resource;
      switch (resource.Type) {
        case 'AWS::IAM::Role': {
          const role = arnOf(stack, id);
          ofResource.set(role, add(Properties.AssumeRolePolicyDocument, '/trust'));
          if (!ofRole.has(role)) ofRole.set(role, []);
          for (const arn of listOf(resolved(stack, Properties.ManagedPolicyArns ?? []))) {
            const aws = awsManaged[arn.replace(/^arn:[a-z-]+:iam::aws:policy\//, '')];
            if (aws === undefined) throw new Error(`${id} has ${arn}: say in access-model.ts what it allows`);
            policies[arn] = aws;
            give(role, arn);
          }
          for (const key of ['Policies'])
            if (Properties[key] !== undefined) throw new Error(`${id} has ${key}, which no test looks at`);
          break;
        }
        case 'AWS::IAM::Policy':
          add(Properties.PolicyDocument);
          for (const role of rolesOf(stack, resource)) give(role, name);
          break;
        case 'AWS::IAM::ManagedPolicy':
          add(Properties.PolicyDocument);
          // What is too long for a role's own policies: CDK makes one of these of it.
          if (Properties.Roles !== undefined) for (const role of rolesOf(stack, resource)) give(role, name);
          break;
        case 'AWS::KMS::Key':
          ofResource.set(arnOf(stack, id), add(Properties.KeyPolicy));
          break;
        case 'AWS::S3::BucketPolicy':
          ofResource.set(arnOf(stack, referenced(Properties.Bucket)), add(Properties.PolicyDocument));
          break;
        case 'AWS::SQS::QueuePolicy':
          for (const queue of Properties.Queues as unknown[])
            ofResource.set(arnOf(stack, referenced(queue)), add(Properties.PolicyDocument));
          break;
        case 'AWS::SNS::TopicPolicy':
          for (const topic of Properties.Topics as unknown[])
            ofResource.set(arnOf(stack, referenced(topic)), add(Properties.PolicyDocument));
          break;
        case 'AWS::Events::EventBusPolicy': {
          const statement = resolved(stack, Properties.Statement) as { Resource: string };
          ofResource.set(statement.Resource, add({ Version: '2012-10-17', Statement: [statement] }));
          break;
        }
      }
    }
  }
  return { deployed, policies, ofRole, ofResource };
}

/** The policy of what the ARN names: objects have their bucket's. */
export function resourcePolicyOf({ ofResource }: AccessModel, arn: string): string | undefined {
  return ofResource.get(arn) ?? ofResource.get(arn.replace(/^(arn:[a-z-]+:s3:::[^/]+)\/.*$/s, '$1'));
}

function rolesOf(stack: Deployed, { Properties }: Resource): string[] {
  return (Properties.Roles as unknown[]).map((role) => arnOf(stack, referenced(role)));
}

/** Logical id of what a `Ref` refers to. */
export function referenced(value: unknown): string {
  const { Ref } = value as { Ref?: unknown };
  if (typeof Ref !== 'string') throw new Error(`${JSON.stringify(value)} is no reference`);
  return Ref;
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);
