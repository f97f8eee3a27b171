/** Reads sealed plans back from the bucket and writes the orders that servers fetch. */
import { gunzipSync } from 'node:zlib';
import type { Campaign } from '../campaign.ts';
import type { OrderRef } from '../document.ts';
import { type Exception, exceptionsFor } from '../exception.ts';
import type { Hook } from '../hook.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job.ts';
import { isFor } from '../only.ts';
import { orderText, type ServerOrder } from '../order.ts';
import type { Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import { type PlanEntry, parsePlanLine, planHash, sha256Of } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { type Objects, PortError } from '../ports.ts';
import { parseResultObject } from '../result-object.ts';
import type { Server } from '../server.ts';

/**
 * What a result object may have, zipped and not. A server may write anything under its prefix, and what it writes must
 * not take down the functions that read for its neighbours as well.
 */
const largestObject = 4 * 1024 * 1024;
const largestResult = 32 * 1024 * 1024;

/** A plan's share of the order that all servers of its batch fetch: some 3,500 packages. */
const largestPlan = 768 * 1024;

export type StoredResult =
  | { readonly kind: 'content'; readonly content: Uint8Array }
  | { readonly kind: 'unreadable'; readonly detail: string };

/** A store that does not answer is an error of its own, and says nothing of the server. */
export async function readResult(objects: Pick<Objects, 'get'>, key: string): Promise<StoredResult> {
  try {
    const content = await objects.get(key, largestObject);
    return content
      ? { kind: 'content', content }
      : { kind: 'unreadable', detail: `the result object ${key} is not in the bucket` };
  } catch (error) {
    if (error instanceof PortError && error.code === 'too-large')
      return { kind: 'unreadable', detail: error.message };
    throw error;
  }
}

/** @throws Error when it is no gzip, too large, or not of the form of a result object */
export function unpackResult(content: Uint8Array): Map<string, string> {
  return parseResultObject(gunzipSync(content, { maxOutputLength: largestResult }));
}

/** @throws Error naming the line that is no plan entry */
export function planIn(sections: ReadonlyMap<string, string>): PlanEntry[] {
  const text = sections.get('plan');
  if (text === undefined) throw new Error('the result object holds no plan');
  if (text.length > largestPlan)
    throw new Error(`the plan has ${text.length} characters, and ${largestPlan} are taken at most`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parsePlanLine);
}

export type StoredPlan =
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  | { readonly kind: 'unreadable'; readonly reason: Reason };

/** The plan that was sealed for a job, checked against its seal. Undefined when the job has none. */
export async function readPlan(objects: Objects, job: Job): Promise<StoredPlan | undefined> {
  if (job.plan === null) return undefined;
  const { objectKey, sha256 } = job.plan;
  const unreadable = (detail: string): StoredPlan => ({
    kind: 'unreadable',
    reason: { code: 'sealed-plan-unreadable', detail: `${objectKey}: ${detail}`.slice(0, 400) },
  });
  const stored = await readResult(objects, objectKey);
  if (stored.kind === 'unreadable') return unreadable(stored.detail);
  try {
    const entries = planIn(unpackResult(stored.content));
    const hash = planHash(job.server.id, entries);
    return hash === sha256 ? { kind: 'plan', entries } : unreadable(`hashes to ${hash}, sealed as ${sha256}`);
  } catch (error) {
    return unreadable(String(error));
  }
}

/** The key contains the hash of the content, so writing an order again changes nothing. */
export async function writeOrder(
  objects: Objects,
  campaign: Pick<Campaign, 'id' | 'policy' | 'selection'>,
  phase: Phase,
  servers: readonly { server: Server; plan: readonly PlanEntry[] | null }[],
  exceptions: readonly Exception[],
  now: Instant,
): Promise<OrderRef> {
  const text = orderText(
    campaign.id,
    phase,
    servers.map(({ server, plan }) => ({
      serverId: server.id,
      exclusions: exceptionsFor(server, exceptions, now).flatMap((exception) => exception.package ?? []),
      plan,
      ...wishesFor(campaign.policy, phase, server),
    })),
    {
      never: campaign.policy.rollback.never,
      ...(isChange(phase) && { backup: campaign.policy.backup }),
      ...(campaign.selection && { selection: campaign.selection }),
    },
  );
  const sha256 = sha256Of(text);
  const key = `orders/${sha256}.txt`;
  if (servers.length > 0) await objects.put(key, text);
  return { key, sha256 };
}

/** Phases that change a server. */
const isChange = (phase: Phase) => phase === 'patch' || phase === 'rollback';

const momentsOf: Readonly<Record<Phase, readonly Hook['when'][]>> = {
  prepare: [],
  patch: ['before-patch', 'after-patch'],
  verify: [],
  rollback: ['before-rollback', 'after-rollback'],
};

/** What the policy asks of this server beside its packages, as far as the phase looks at it. */
function wishesFor(
  { hooks, validation }: Policy,
  phase: Phase,
  server: Server,
): Pick<ServerOrder, 'hooks' | 'services' | 'probes'> {
  const ours = <Item extends Parameters<typeof isFor>[0]>(items: readonly Item[]) =>
    phase === 'prepare' ? [] : items.filter((item) => isFor(item, server));
  return {
    hooks: momentsOf[phase].flatMap((moment) => ours(hooks).filter(({ when }) => when === moment)),
    services: ours(validation.services).map(({ unit }) => unit),
    probes: ours(validation.probes),
  };
}
