/** Owns the order: the one object per batch and phase that tells each of its servers what to do. */
import type { BackupPolicy } from './backup.ts';
import { exclusionPattern } from './exclusion-pattern.ts';
import type { Hook } from './hook.ts';
import type { DocumentPhase } from './phase.ts';
import { canonicalPlan, type PlanEntry, planHash } from './plan.ts';
import type { Selection } from './selection.ts';
import type { Probe } from './validation.ts';

export interface ServerOrder {
  readonly serverId: string;
  /** Package names or `*` globs that must not change. */
  readonly exclusions: readonly string[];
  /** The sealed plan; null while there is none (prepare). */
  readonly plan: readonly PlanEntry[] | null;
  /** Those of the policy that are meant for this server, in the order in which they run. */
  readonly hooks?: readonly Hook[];
  /** Units that must be active. */
  readonly services?: readonly string[];
  readonly probes?: readonly Probe[];
}

/** What an order says to all its servers alike. */
export interface OrderTerms {
  readonly selection?: Selection;
  /** Package names or `*` globs that are never rolled back without a person. */
  readonly never: readonly string[];
  /** What goes into the archive of the configuration, and what restoring may touch. */
  readonly backup?: Pick<BackupPolicy, 'paths' | 'exclude'>;
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
 *     backup   path|exclude  <path or glob>        any number: the configuration
 *     hook     <moment> <name> <seconds> stop|warn <path or key> <sha256 or -> <undo: path or key, or -> <sha256 or ->
 *     service  <unit>                      any number: units that must be active
 *     probe    http|tcp|command <name> <seconds> <tries> <status, port or -> <URL, host, or the words of the command>
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
    ...(server.hooks ?? []).map(hookLine),
    ...(server.services ?? []).map((unit) => `service\t${unit}`),
    ...(server.probes ?? []).map(probeLine),
    ...(server.plan === null ? [] : planSection(server.serverId, server.plan)),
  ]);
  return `${[`quarterdeck-order\t1\t${campaignId}\t${phase}`, ...sections].join('\n')}\n`;
}

function termLines({ selection, never, backup }: OrderTerms): string[] {
  return [
    ...(selection?.names ?? []).map((name) => `select\t${name}`),
    ...(selection?.repositories.enable ?? []).map((id) => `repository\tenable\t${id}`),
    ...(selection?.repositories.disable ?? []).map((id) => `repository\tdisable\t${id}`),
    ...(selection?.release === undefined ? [] : [`release\t${selection.release}`]),
    ...never.map((name) => `never\t${name}`),
    ...(backup?.paths ?? []).map((path) => `backup\tpath\t${path}`),
    ...(backup?.exclude ?? []).map((path) => `backup\texclude\t${path}`),
  ];
}

function hookLine({ when, name, timeoutSeconds, onFailure, run, undo }: Hook): string {
  const script = (what: Hook['undo']) =>
    what === undefined ? ['-', '-'] : 'path' in what ? [what.path, '-'] : [what.object, what.sha256];
  return ['hook', when, name, timeoutSeconds, onFailure, ...script(run), ...script(undo)].join('\t');
}

function probeLine(probe: Probe): string {
  const common = ['probe', probe.kind, probe.name, probe.timeoutSeconds, probe.tries];
  switch (probe.kind) {
    case 'http':
      return [...common, probe.status, probe.url].join('\t');
    case 'tcp':
      return [...common, probe.port, probe.host].join('\t');
    case 'command':
      return [...common, '-', ...probe.command].join('\t');
  }
}

function planSection(serverId: string, plan: readonly PlanEntry[]): string[] {
  const [, ...entries] = canonicalPlan(serverId, plan).trimEnd().split('\n');
  return [`plan\t${planHash(serverId, plan)}`, ...entries.map((line) => `entry\t${line}`)];
}
