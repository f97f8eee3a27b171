/** Owns the shape of what AWS authorizes: who wants which action on which resource, in which circumstances. */
import { type AccessModel, resourcePolicyOf } from './access-model.ts';
import type { SimulatedRequest } from './simulator/simulator.ts';

export interface AccessRequest {
  /** ARN of a role, or the name of a service. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** That the resource is in. */
  readonly account: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /** Where it comes from, for people. */
  readonly from: string;
}

/**
 * Actions of which AWS's list says that they know no resource. Both are authorized on the state machine that the token
 * belongs to: aws/aws-cdk#8486 has tried it out, and NOAA-OWP/hydrovis#837 has the message of a denial.
 */
const standIns: Readonly<Record<string, string>> = {
  'states:SendTaskSuccess': 'states:DescribeStateMachine',
  'states:SendTaskFailure': 'states:DescribeStateMachine',
};

/** With the policies that apply to it, and what AWS says of every request. */
export function toSimulate(model: AccessModel, request: AccessRequest): SimulatedRequest {
  const { principal, action, resource, account, context } = request;
  const isRole = principal.startsWith('arn:');
  const identity = model.ofRole.get(principal);
  if (isRole && identity === undefined)
    throw new Error(`${principal} is no role of the stacks: ${request.from}`);
  return {
    principal,
    action,
    resource,
    account,
    identity: identity ?? [],
    byResource: resourcePolicyOf(model, resource),
    standIn: standIns[action],
    context: {
      'aws:SecureTransport': 'true',
      ...(resource.includes(':s3:::') && { 's3:TlsVersion': '1.3' }),
      ...(isRole && { 'aws:PrincipalArn': principal, 'aws:PrincipalAccount': accountOf(principal) }),
      ...context,
    },
  };
}

export const accountOf = (arn: string): string => arn.split(':')[4] ?? '';

/** One of each, in the order in which they came. */
export function distinct(requests: readonly AccessRequest[]): AccessRequest[] {
  const byContent = new Map(
    requests.map((request) => [JSON.stringify({ ...request, from: undefined }), request] as const),
  );
  return [...byContent.values()];
}
