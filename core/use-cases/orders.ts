/** Reads sealed plans back from the bucket and writes the orders that servers fetch. */
import { gunzipSync } from 'node:zlib';
import type { OrderRef } from '../document.ts';
import { type Exception, exceptionsFor } from '../exception.ts';
import type { Instant } from '../instant.ts';
import type { Job } from '../job.ts';
import { orderText } from '../order.ts';
import type { Reason } from '../outcome.ts';
import type { Phase } from '../phase.ts';
import { type PlanEntry, parsePlanLine, planHash, sha256Of } from '../plan.ts';
import type { Objects } from '../ports.ts';
import { parseResultObject } from '../result-object.ts';
import type { Server } from '../server.ts';

/** A result object is at most this large unzipped; more is no log, it is an attack or a loop. */
const largestResult = 64 * 1024 * 1024;

/** @throws Error when it is no gzip, too large, or not of the form of a result object */
export function unpackResult(content: Uint8Array): Map<string, string> {
  return parseResultObject(gunzipSync(content, { maxOutputLength: largestResult }));
}

/** @throws Error naming the line that is no plan entry */
export function planIn(sections: ReadonlyMap<string, string>): PlanEntry[] {
  const text = sections.get('plan');
  if (text === undefined) throw new Error('the result object holds no plan');
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
  const content = await objects.get(objectKey);
  if (content === undefined) return unreadable('the object is not in the bucket');
  try {
    const entries = planIn(unpackResult(content));
    const hash = planHash(job.server.id, entries);
    return hash === sha256 ? { kind: 'plan', entries } : unreadable(`hashes to ${hash}, sealed as ${sha256}`);
  } catch (error) {
    return unreadable(String(error));
  }
}

/** The key contains the hash of the content, so writing an order again changes nothing. */
export async function writeOrder(
  objects: Objects,
  campaignId: string,
  phase: Phase,
  servers: readonly { server: Server; plan: readonly PlanEntry[] | null }[],
  exceptions: readonly Exception[],
  now: Instant,
): Promise<OrderRef> {
  const text = orderText(
    campaignId,
    phase,
    servers.map(({ server, plan }) => ({
      serverId: server.id,
      exclusions: exceptionsFor(server, exceptions, now).flatMap((exception) => exception.package ?? []),
      plan,
    })),
  );
  const sha256 = sha256Of(text);
  const key = `orders/${sha256}.txt`;
  if (servers.length > 0) await objects.put(key, text);
  return { key, sha256 };
}
