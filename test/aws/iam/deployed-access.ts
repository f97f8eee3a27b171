/** Owns the access model of deployed stacks, and what rights are looked up by: keys, roles of functions, the machine. */
import type { FunctionName } from '../../../lambdas/functions.ts';
import { type AccessModel, accessModel } from './access-model.ts';
import { roleOfFunction } from './implied-requests.ts';
import { arnOf, type Deployed } from './template-values.ts';

export interface DeployedAccess {
  readonly model: AccessModel;
  /** The first of the stacks. */
  readonly home: Deployed;
  /** ARN of the key that a bucket, table or topic is encrypted with. */
  keyOf(arn: string): string | undefined;
  roleOf(name: FunctionName): string;
  /** ARN of the one resource of that type, or of the one whose logical id begins so. */
  arnOfOne(type: string, idPrefix?: string): string;
}

/**
 * @param servers roles that somebody attaches the policy of servers to: ARN of each, by its account. A place whose
 * account has none is not looked at.
 */
export function deployedAccess(
  stacks: readonly Deployed[],
  servers: Readonly<Record<string, string>> = {},
): DeployedAccess {
  const [home] = stacks as [Deployed];
  const model = withServers(accessModel(stacks), servers);
  const keys = new Map<string, string>();
  for (const stack of stacks)
    for (const [id, { Type, Properties }] of Object.entries(stack.resources)) {
      const key = encryptionOf(stack, Type, Properties);
      if (key !== undefined) keys.set(arnOf(stack, id), key);
    }
  const arnOfOne = (type: string, idPrefix = '') => {
    const found = Object.entries(home.resources).filter(
      ([id, { Type }]) => Type === type && id.startsWith(idPrefix),
    );
    if (found.length !== 1) throw new Error(`${found.length} resources are ${type} ${idPrefix}, not one`);
    return arnOf(home, String(found[0]?.[0]));
  };
  return {
    model,
    home,
    keyOf: (arn) => keys.get(arn),
    roleOf(name) {
      const pascal = name.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
      const id = Object.keys(home.resources).find((each) =>
        new RegExp(`${pascal}Function[0-9A-F]{8}$`).test(each),
      );
      if (id === undefined) throw new Error(`no function of the stack is ${name}`);
      return roleOfFunction(home, id);
    },
    arnOfOne,
  };
}

function withServers(model: AccessModel, servers: Readonly<Record<string, string>>): AccessModel {
  const ofRole = new Map(model.ofRole);
  for (const [account, role] of Object.entries(servers)) {
    const name = Object.keys(model.policies).find(
      (each) => each.startsWith(`${account}/`) && each.includes('ServerAccess'),
    );
    if (name === undefined) throw new Error(`account ${account} has no policy for servers`);
    ofRole.set(role, [name]);
  }
  return { ...model, ofRole };
}

/** ARN of the customer's key; what is encrypted with AWS's own takes no right of the caller. */
function encryptionOf(
  stack: Deployed,
  type: string,
  properties: Readonly<Record<string, unknown>>,
): string | undefined {
  const said: Readonly<Record<string, unknown>> = {
    'AWS::S3::Bucket': properties.BucketEncryption,
    'AWS::DynamoDB::Table': properties.SSESpecification,
    'AWS::SNS::Topic': properties.KmsMasterKeyId,
    'AWS::SQS::Queue': properties.KmsMasterKeyId,
  };
  const text = JSON.stringify(said[type]);
  const [, id] = /\{"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/.exec(text ?? '') ?? [];
  return id === undefined ? undefined : arnOf(stack, id);
}
