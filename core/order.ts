/** Owns the order: the one object per batch and phase that tells each of its servers what to do. */
import type { Phase } from './phase.ts';
import { canonicalPlan, type PlanEntry, planHash } from './plan.ts';

export interface ServerOrder {
  readonly serverId: string;
  /** Package names or `*` globs that must not change. */
  readonly exclusions: readonly string[];
  /** The sealed plan; null while there is none (prepare). */
  readonly plan: readonly PlanEntry[] | null;
}

/** What an exclusion may look like: a package name in which `*` stands for any characters. */
export const exclusionPattern = /^[A-Za-z0-9*][A-Za-z0-9*+._@-]{0,127}$/;

/**
 * Servers have neither jq nor the AWS CLI, so an order is lines of tab-separated fields:
 *
 *     quarterdeck-order  1  <campaign>  <phase>
 *     server   <id>                        opens the section of one server
 *     exclude  <name or glob>              any number
 *     plan     <sha256>                    at most once, the hash of the canonical plan of the entries below
 *     entry    <the nine fields of a plan line>
 *
 * The canonical plan is the line `quarterdeck-plan 1 <id>` and the entries without their first field, so a server
 * checks its own section with awk and sha256sum.
 */
export function orderText(campaignId: string, phase: Phase, servers: readonly ServerOrder[]): string {
  const sections = servers.flatMap((server) => [
    `server\t${server.serverId}`,
    ...server.exclusions.map((name) => {
      if (!exclusionPattern.test(name))
        throw new Error(`exclusion ${JSON.stringify(name)} is not a package name or a * glob`);
      return `exclude\t${name}`;
    }),
    ...(server.plan === null ? [] : planSection(server.serverId, server.plan)),
  ]);
  return `${[`quarterdeck-order\t1\t${campaignId}\t${phase}`, ...sections].join('\n')}\n`;
}

function planSection(serverId: string, plan: readonly PlanEntry[]): string[] {
  const [, ...entries] = canonicalPlan(serverId, plan).trimEnd().split('\n');
  return [`plan\t${planHash(serverId, plan)}`, ...entries.map((line) => `entry\t${line}`)];
}
