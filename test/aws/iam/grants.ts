/** Owns what the policies grant, right by right, and which of it requests make use of. */
import type { AccessModel } from './access-model.ts';
import type { SimulatedAnswer } from './simulator/simulator.ts';

export interface Grant {
  readonly policy: string;
  /** Number of the statement in its policy, from 1. */
  readonly statement: number;
  readonly action: string;
  /** As the policy has it, patterns and all; empty in policies that have none, those of trust. */
  readonly resource: string;
  /** Of roles that have the policy; the policy's own name for those of resources. */
  readonly holders: readonly string[];
}

/** Everything that is allowed anywhere. */
export function grantsOf(model: AccessModel): Grant[] {
  const holders = new Map<string, string[]>();
  for (const [role, policies] of model.ofRole)
    for (const policy of policies) holders.set(policy, [...(holders.get(policy) ?? []), roleName(role)]);
  return Object.entries(model.policies).flatMap(([policy, { Statement }]) =>
    Statement.flatMap(({ Effect, Action, Resource }, index) =>
      Effect === 'Allow'
        ? listOf(Action).flatMap((action) =>
            (Resource === undefined ? [''] : listOf(Resource)).map((resource) => ({
              policy,
              statement: index + 1,
              action,
              resource,
              holders: holders.get(policy) ?? [policy],
            })),
          )
        : [],
    ),
  );
}

/** Those that no request matched. A policy that several roles have is used when one of them uses it. */
export function unusedGrants(grants: readonly Grant[], answers: readonly SimulatedAnswer[]): Grant[] {
  const key = (policy: string, statement: number, action: string, resource: string) =>
    JSON.stringify([policy, statement, action, resource]);
  const used = new Set(
    answers.flatMap(({ matched }) =>
      matched.flatMap(({ policy, statement, actions, resources }) =>
        actions.flatMap((action) =>
          (resources.length === 0 ? [''] : resources).map((resource) =>
            key(policy, statement, action, resource),
          ),
        ),
      ),
    ),
  );
  return grants.filter(
    ({ policy, statement, action, resource }) => !used.has(key(policy, statement, action, resource)),
  );
}

export const textOf = ({ action, resource, holders }: Grant): string =>
  `${holders.join(', ')}: ${action} on ${resource || 'itself'}`;

const roleName = (arn: string): string => arn.split('/').at(-1) ?? arn;

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);
