/** Owns the order: the one object per batch and phase that tells each of its servers what to do. */
import { exclusionPattern } from './exclusion-pattern.ts';
import type { DocumentPhase } from './phase.ts';
import { canonicalPlan, type PlanEntry, planHash } from './plan.ts';
import type { Selection } from './selection.ts';

export interface ServerOrder {
  readonly serverId: string;
  /** Package names or `*` globs that must not change. */
  readonly exclusions: readonly string[];
  /** The sealed plan; null while there is none (prepare). */
  readonly plan: readonly PlanEntry[] | null;
}

/** What an order says to all its servers alike. */
export interface OrderTerms {
  readonly selection?: Selection;
  /** Package names or `*` globs that are never rolled back without a person. */
  readonly never: readonly string[];
}

/**
 * Servers have neither jq nor the AWS CLI, so an order is lines of tab-separated fields:
 *
 *     quarterdeck-order  1  <campaign>  <phase>
 *     server   <id>                        opens the section of one server
 *     exclude  <name or glob>              any number
 *     select   <advisory, CVE, package or group>   any number, where Mode asks for named ones
 *     repository  enable|disable  <id or glob>     any number
 *     release  <version>                   at most once: the release that Amazon Linux resolves against
 *     never    <name or glob>              any number: packages that no rollback touches
 *     plan     <sha256>                    at most once, the hash of the canonical plan of the entries below
 *     entry    <the twelve fields of a plan line>
 *
 * The canonical plan is the line `quarterdeck-plan 1 <id>` and the entries without their first field, so a server
 * checks its own section with awk and sha256sum.
 */
export function orderText(
  campaignId: string,
  phase: DocumentPhase,
  servers: readonly ServerOrder[],
  terms: OrderTerms = { never: [] },
): string {
  const common = termLines(terms);
  const sections = servers.flatMap((server) => [
    `server\t${server.serverId}`,
    ...server.exclusions.map((name) => {
      if (!exclusionPattern.test(name))
        throw new Error(`exclusion ${JSON.stringify(name)} is not a package name or a * glob`);
      return `exclude\t${name}`;
    }),
    ...common,
    ...(server.plan === null ? [] : planSection(server.serverId, server.plan)),
  ]);
  return `${[`quarterdeck-order\t1\t${campaignId}\t${phase}`, ...sections].join('\n')}\n`;
}

function termLines({ selection, never }: OrderTerms): string[] {
  return [
    ...(selection?.names ?? []).map((name) => `select\t${name}`),
    ...(selection?.repositories.enable ?? []).map((id) => `repository\tenable\t${id}`),
    ...(selection?.repositories.disable ?? []).map((id) => `repository\tdisable\t${id}`),
    ...(selection?.release === undefined ? [] : [`release\t${selection.release}`]),
    ...never.map((name) => `never\t${name}`),
  ];
}

function planSection(serverId: string, plan: readonly PlanEntry[]): string[] {
  const [, ...entries] = canonicalPlan(serverId, plan).trimEnd().split('\n');
  return [`plan\t${planHash(serverId, plan)}`, ...entries.map((line) => `entry\t${line}`)];
}
