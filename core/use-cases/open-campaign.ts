/** Opens a campaign: looks at the window once more, pins the documents, and lays out what is to be prepared. */
import * as z from 'zod';
import { advanceCampaign, type Campaign, stoppedBy } from '../campaign.ts';
import { documentName, phaseSeconds, pinKey } from '../document.ts';
import {
  campaignKey,
  campaigns,
  exceptions,
  exceptionsPartition,
  listAll,
  load,
  update,
} from '../entities.ts';
import { exceptionsFor, heldBy } from '../exception.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import { type Phase, phaseSchema } from '../phase.ts';
import { type Commands, type DocumentPin, PortError, type Ports } from '../ports.ts';
import { type Place, placeKey, type Server } from '../server.ts';
import { type BatchManifest, putManifest } from './batch-manifest.ts';
import { type Beginning, layOut, readServers } from './lay-out.ts';

export const openCampaignInput = z.object({ campaignId: z.string() });

type OpenPorts = Pick<Ports, 'records' | 'objects' | 'notices'> & {
  readonly commands: Pick<Commands, 'pin'>;
};

export type OpenCampaignOutput =
  | { readonly verdict: 'go'; readonly prepare: BatchManifest }
  | {
      readonly verdict: 'end';
      readonly ending: 'missed' | 'stopped';
      readonly reason: Reason;
    };

export async function openCampaign(
  ports: OpenPorts,
  input: z.input<typeof openCampaignInput>,
  now: Instant,
): Promise<OpenCampaignOutput> {
  const { campaignId } = openCampaignInput.parse(input);
  const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
  // Closing lays the servers out where this has not, so that the report of a missed campaign names them all.
  const stopped = stoppedBy(campaign);
  if (stopped) return { verdict: 'end', ending: 'stopped', reason: stopped };
  const late = tooLate(campaign, now);
  if (late) return { verdict: 'end', ending: 'missed', reason: late };
  const servers = await readServers(ports.objects, campaign);
  const inForce = await listAll(ports.records, exceptions, exceptionsPartition, '');
  const pins = await pinDocuments(ports, servers, campaign.documents);
  const beginningOf = (server: Server): Beginning => {
    const held = heldBy(exceptionsFor(server, inForce, now));
    if (held) return { state: 'held', reason: held };
    const refused = pins.refused.get(placeKey(server.place));
    if (refused !== undefined) return { state: 'unreachable', reason: refusedBy(server.place, refused) };
    const unsupported = missingDocument(server, pins);
    if (unsupported) return { state: 'unsupported', reason: unsupported };
    return { state: 'planned' };
  };
  const all = await layOut(ports, campaignId, servers, beginningOf, now);
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
  const patching = campaign.policy.mode === 'scan' ? 0 : phaseSeconds(campaign, 'patch');
  const needed = phaseSeconds(campaign, 'prepare') + patching;
  if (plusSeconds(now, needed) <= campaign.window.end) return undefined;
  return {
    code: 'opened-too-late',
    detail: `at ${now} preparing and patching take up to ${needed} s and the window closes at ${campaign.window.end}`,
  };
}

interface Pins {
  readonly found: Record<string, DocumentPin>;
  readonly missing: Map<string, string>;
  /** What was said by places where we may not look, by their keys. */
  readonly refused: Map<string, string>;
}

/**
 * Documents pinned before, by an attempt that did not finish, stay as they are. An account that took its role away
 * keeps its own servers from being patched and nobody else's; where all refuse, it is we who have no rights.
 */
async function pinDocuments(
  ports: Pick<OpenPorts, 'commands'>,
  servers: readonly Server[],
  before: Campaign['documents'],
): Promise<Pins> {
  const found: Record<string, DocumentPin> = { ...before };
  const missing = new Map<string, string>();
  const refused = new Map<string, string>();
  const places = new Set(servers.map(({ place }) => placeKey(place)));
  for (const server of servers) {
    const place = placeKey(server.place);
    for (const phase of phaseSchema.options) {
      const key = pinKey(server.place, server.family, phase);
      if (found[key] || missing.has(key) || refused.has(place)) continue;
      try {
        found[key] = await ports.commands.pin(server.place, documentName(server.family, phase));
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        if (error.code === 'document-missing') missing.set(key, error.message);
        else if (error.code === 'refused') refused.set(place, error.message);
        else throw error;
        if (refused.size === places.size) throw error;
      }
    }
  }
  return { found, missing, refused };
}

function refusedBy({ account, region }: Place, message: string): Reason {
  return { code: 'place-refused', detail: `${account}/${region} lets nobody in: ${message}`.slice(0, 400) };
}

function missingDocument(server: Server, pins: Pins): Reason | undefined {
  const isMissing = (phase: Phase) => pins.missing.get(pinKey(server.place, server.family, phase));
  const missing = phaseSchema.options.map(isMissing).find((message) => message !== undefined);
  return missing === undefined
    ? undefined
    : { code: 'no-document', detail: `no document for ${server.family}: ${missing}`.slice(0, 400) };
}
