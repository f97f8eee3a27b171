/** Brings the inventory up to what AWS says of its servers, without overwriting what a person set. */

import type { Instant } from '../instant.ts';
import { type AwsNode, seenServer } from '../inventory/seen-server.ts';
import { factsOf, withFacts } from '../inventory/server-facts.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { type RecordedServer, type SyncResult, syncServers } from '../inventory/sync-servers.ts';
import { inParallel } from '../parallel.ts';
import type { Ports } from '../ports.ts';
import { type Place, placeKey } from '../server.ts';
import type { Settings } from '../settings.ts';
import { InventoryChanged, loadInventory, saveInventory } from './stored-inventory.ts';

/** All nodes of a place that have opted in, with the tags of EC2, or of SSM for hybrid ones. */
export type NodesIn = (place: Place) => Promise<readonly AwsNode[]>;

export interface SyncReport extends Omit<SyncResult, 'servers'> {
  /** In the inventory. */
  readonly servers: number;
  readonly saved: boolean;
  /** Places that could not be read; servers there are as they were. */
  readonly unread: readonly { readonly place: string; readonly why: string }[];
}

/** Somebody may import a list meanwhile, but not again and again. */
const attempts = 3;
/** Each place has its own limits of calls. */
const placesAtOnce = 8;

/** @throws Error when no place can be read */
export async function syncInventory(
  ports: Pick<Ports, 'records' | 'objects'>,
  { places, serverTags }: Pick<Settings, 'places' | 'serverTags'>,
  nodesIn: NodesIn,
  now: Instant,
): Promise<SyncReport> {
  const unread: { place: string; why: string }[] = [];
  const read = new Set<string>();
  const found = await inParallel(places, placesAtOnce, async (place) => {
    try {
      const nodes = await nodesIn(place);
      read.add(placeKey(place));
      return nodes;
    } catch (error) {
      unread.push({ place: placeKey(place), why: error instanceof Error ? error.message : String(error) });
      return [];
    }
  });
  if (read.size === 0) {
    const all = unread.map(({ place, why }) => `${place}: ${why}`).join('; ');
    throw new Error(`no place could be read: ${all}`);
  }
  const seen = found.flat().map((node) => seenServer(node, serverTags));
  for (let attempt = 1; ; attempt++) {
    const { servers, revision } = await loadInventory(ports);
    const { servers: synced, ...told } = syncServers(servers.map(recorded), seen, read);
    const report = { ...told, unread, servers: servers.length };
    if (told.changes.length === 0) return { ...report, saved: false };
    const next = servers.map((server, index) => applied(server, synced[index] as RecordedServer));
    try {
      await saveInventory(ports, next, { by: 'sync', now, expected: revision });
      return { ...report, saved: true };
    } catch (error) {
      if (!(error instanceof InventoryChanged) || attempt === attempts) throw error;
    }
  }
}

function recorded(server: StoredServer): RecordedServer {
  const { name, instanceId, account, region, bySync } = server;
  return {
    name,
    ...(instanceId !== undefined && { instanceId }),
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    facts: factsOf(server),
    bySync,
  };
}

function applied(server: StoredServer, { facts, bySync, ...identity }: RecordedServer): StoredServer {
  return { ...withFacts(server, facts), ...identity, bySync };
}
