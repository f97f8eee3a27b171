/** Opens a campaign: looks at the window once more, pins the documents, and lays out what is to be prepared. */
import { z } from 'zod';
import type { Batch } from '../batch.ts';
import { advanceCampaign, type Campaign, stoppedBy } from '../campaign.ts';
import { commandSeconds, documentName, pinKey } from '../document.ts';
import {
  batches,
  campaignKey,
  campaigns,
  create,
  exceptions,
  exceptionsPartition,
  jobs,
  listAll,
  load,
  update,
} from '../entities.ts';
import { exceptionsFor, heldBy } from '../exception.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Job, JobState } from '../job.ts';
import { type Reason, unknownFacts } from '../outcome.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { type Phase, phaseSchema } from '../phase.ts';
import { type DocumentPin, PortError, type Ports } from '../ports.ts';
import { type Server, serverSchema } from '../server.ts';
import { planBatches } from '../waves.ts';
import { type BatchManifest, putManifest } from './batch-manifest.ts';

export const openCampaignInput = z.object({ campaignId: z.string() });

export type OpenCampaignOutput =
  | { readonly verdict: 'go'; readonly prepare: BatchManifest }
  | {
      readonly verdict: 'end';
      readonly ending: 'missed' | 'stopped';
      readonly reason: Reason;
    };

export async function openCampaign(
  ports: Ports,
  input: z.input<typeof openCampaignInput>,
  now: Instant,
): Promise<OpenCampaignOutput> {
  const { campaignId } = openCampaignInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  const stopped = stoppedBy(campaign);
  const closed = stopped ?? tooLate(campaign, now);
  const servers = await readServers(ports, campaign);
  const inForce = await listAll(ports.records, exceptions, exceptionsPartition, '');
  const pins = closed
    ? { found: {}, missing: new Map() }
    : await pinDocuments(ports, servers, campaign.documents);
  const first = servers.map((server) => {
    // Every server gets a job, so that the report of a missed campaign names them all.
    if (closed) return jobOf(campaignId, server, 'not-started', now, [closed]);
    const held = heldBy(exceptionsFor(server, inForce, now));
    if (held) return jobOf(campaignId, server, 'held', now, [held]);
    const unsupported = missingDocument(server, pins);
    if (unsupported) return jobOf(campaignId, server, 'unsupported', now, [unsupported]);
    return jobOf(campaignId, server, 'planned', now, []);
  });
  await inParallel(first, storeParallelism, (job) => create(ports.records, jobs, job));

  // Held and unsupported servers are in a batch too, so that whoever closes the campaign finds every job by batch.
  const all = planBatches(servers).map(
    (plan, index): Batch => ({
      schema: 1,
      campaignId,
      id: `p-${String(index + 1).padStart(4, '0')}`,
      wave: null,
      place: plan.place,
      family: plan.family,
      serverIds: [...plan.serverIds],
      runs: {},
      sealed: null,
    }),
  );
  await inParallel(all, storeParallelism, (batch) => create(ports.records, batches, batch));
  if (closed) return { verdict: 'end', ending: stopped ? 'stopped' : 'missed', reason: closed };
  const prepare = await putManifest(
    ports.objects,
    campaign,
    'prepare',
    `campaigns/${campaignId}/prepare.json`,
    all,
  );
  await update(ports.records, campaigns, campaignKey(campaignId), (current) => {
    const next = advanceCampaign(current, 'preparing');
    return next && { ...next, documents: pins.found };
  });
  await ports.notices.send({
    id: `${campaignId}-opened`,
    kind: 'campaign-opened',
    campaignId,
    subject: `Patching of ${servers.length} servers opens ${campaign.window.start}`,
    text:
      `Campaign ${campaignId} (policy ${campaign.policy.name}, ${campaign.quarter}) is preparing ${servers.length} servers.\n` +
      `Window: ${campaign.window.start} to ${campaign.window.end} UTC, planned in ${campaign.window.zone}.\n`,
  });
  return { verdict: 'go', prepare };
}

/** An execution that starts too late must not squeeze a campaign into what is left of its window. */
function tooLate(campaign: Campaign, now: Instant): Reason | undefined {
  const needed = commandSeconds(campaign, 'prepare') + commandSeconds(campaign, 'patch');
  if (plusSeconds(now, needed) <= campaign.window.end) return undefined;
  return {
    code: 'opened-too-late',
    detail: `at ${now} preparing and patching take up to ${needed} s and the window closes at ${campaign.window.end}`,
  };
}

async function readServers(ports: Ports, campaign: Campaign): Promise<Server[]> {
  const content = await ports.objects.get(campaign.serversKey);
  if (content === undefined)
    throw new Error(`the list of servers ${campaign.serversKey} is not in the bucket`);
  return z.array(serverSchema).parse(JSON.parse(Buffer.from(content).toString('utf8')));
}

interface Pins {
  readonly found: Record<string, DocumentPin>;
  readonly missing: Map<string, string>;
}

/** Documents pinned before, by an attempt that did not finish, stay as they are. */
async function pinDocuments(
  ports: Ports,
  servers: readonly Server[],
  before: Campaign['documents'],
): Promise<Pins> {
  const found: Record<string, DocumentPin> = { ...before };
  const missing = new Map<string, string>();
  for (const server of servers) {
    for (const phase of phaseSchema.options) {
      const key = pinKey(server.place, server.family, phase);
      if (found[key] || missing.has(key)) continue;
      try {
        found[key] = await ports.commands.pin(server.place, documentName(server.family, phase));
      } catch (error) {
        if (!(error instanceof PortError && error.code === 'document-missing')) throw error;
        missing.set(key, error.message);
      }
    }
  }
  return { found, missing };
}

function missingDocument(server: Server, pins: Pins): Reason | undefined {
  const isMissing = (phase: Phase) => pins.missing.get(pinKey(server.place, server.family, phase));
  const missing = phaseSchema.options.map(isMissing).find((message) => message !== undefined);
  return missing === undefined
    ? undefined
    : { code: 'no-document', detail: `no document for ${server.family}: ${missing}`.slice(0, 400) };
}

function jobOf(campaignId: string, server: Server, state: JobState, now: Instant, reasons: Reason[]): Job {
  return {
    schema: 1,
    campaignId,
    server,
    state,
    reasons,
    history: [{ state, at: now }],
    wave: null,
    facts: unknownFacts,
    plan: null,
    dispatched: null,
    phases: {},
  };
}
