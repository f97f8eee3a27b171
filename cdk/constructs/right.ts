/** Owns how a right is given: one whose resources are a pattern says why, or is refused. */
import { Stack, Validations } from 'aws-cdk-lib';
import { type ManagedPolicy, type Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

export interface Right {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why the resources can not be named one by one. */
  readonly why?: string;
}

export function giveRight(to: Role | Policy | ManagedPolicy, right: Right): void {
  const { actions, resources, conditions, why } = right;
  const statement = new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions }),
  });
  if ('addStatements' in to) to.addStatements(statement);
  else to.addToPolicy(statement);
  // A pattern, wherever its `*` is.
  const patterns = resources.filter((resource) => resource.includes('*'));
  if (patterns.length === 0) return;
  if (why === undefined)
    throw new Error(`${actions.join(', ')} on ${patterns.join(', ')}: say why a pattern`);
  acknowledgePatterns(to, patterns, why);
}

/** Tells the AWS Solutions rules of patterns, each by the name under which they find it. */
export function acknowledgePatterns(on: IConstruct, patterns: readonly string[], reason: string): void {
  for (const pattern of patterns) {
    const id = `AwsSolutions-IAM5[Resource::${flattened(Stack.of(on).resolve(pattern))}]`;
    Validations.of(on).acknowledge({ id, reason });
  }
}

/** As the rules write a reference: `<Bucket.Arn>/orders/*`. */
function flattened(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll('${', '<').replaceAll('}', '>');
  const [[name, argument] = []] = Object.entries(value as Record<string, unknown>);
  if (name === 'Ref') return `<${argument}>`;
  if (name === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`;
  if (name === 'Fn::Join') {
    const [delimiter, parts] = argument as [string, unknown[]];
    return parts.map(flattened).join(delimiter);
  }
  return JSON.stringify(value);
}
