/** Owns the laying out of a campaign's servers: a job for each, and the batches in which they are prepared. */
import * as z from 'zod';
import { type Batch, newBatch } from '../batch.ts';
import type { Campaign } from '../campaign.ts';
import { batches, create, jobs } from '../entities.ts';
import type { Instant } from '../instant.ts';
import type { Job, JobState } from '../job.ts';
import { type Reason, unknownFacts } from '../outcome.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import type { Objects, Ports } from '../ports.ts';
import { type Server, serverSchema } from '../server.ts';
import { planBatches } from '../waves.ts';

/** How a server begins: `planned`, or ended before anything was done. */
export interface Beginning {
  readonly state: JobState;
  readonly reason?: Reason;
}

export async function readServers(objects: Objects, campaign: Campaign): Promise<Server[]> {
  const content = await objects.get(campaign.serversKey);
  if (content === undefined)
    throw new Error(`the list of servers ${campaign.serversKey} is not in the bucket`);
  return z.array(serverSchema).parse(JSON.parse(Buffer.from(content).toString('utf8')));
}

/**
 * Every server is in a batch, whatever its beginning, so that whoever closes the campaign finds every job by batch;
 * and jobs come before batches, so that a batch names none that is not there. What was laid out before stays.
 */
export async function layOut(
  ports: Pick<Ports, 'records'>,
  campaignId: string,
  servers: readonly Server[],
  beginningOf: (server: Server) => Beginning,
  now: Instant,
): Promise<Batch[]> {
  await inParallel(servers, storeParallelism, (server) =>
    create(ports.records, jobs, jobOf(campaignId, server, beginningOf(server), now)),
  );
  const all = planBatches(servers).map((plan, index) => newBatch(campaignId, null, plan, index));
  await inParallel(all, storeParallelism, (batch) => create(ports.records, batches, batch));
  return all;
}

function jobOf(campaignId: string, server: Server, { state, reason }: Beginning, now: Instant): Job {
  return {
    schema: 1,
    campaignId,
    server,
    state,
    reasons: reason ? [reason] : [],
    history: [{ state, at: now }],
    wave: null,
    facts: unknownFacts,
    plan: null,
    dispatched: null,
    phases: {},
    snapshots: [],
  };
}
