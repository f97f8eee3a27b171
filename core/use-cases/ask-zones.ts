/** Asks servers of the inventory for their time zones, once per asking; `show-zones` reads what they say. */
import * as z from 'zod';
import { Refused } from '../calls.ts';
import { lookFrom } from '../command-search.ts';
import { timeZoneDocument } from '../document.ts';
import { create, update } from '../entities.ts';
import { type Instant, millisOf, plusSeconds } from '../instant.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { inParallel, storeParallelism } from '../parallel.ts';
import { type Commands, type DocumentPin, PortError, type Ports } from '../ports.ts';
import { placeKey, placeSchema, serverIdSchema } from '../server.ts';
import { batchLimit } from '../waves.ts';
import {
  type AskedServer,
  askSeconds,
  deliverySeconds,
  executionSeconds,
  silent,
  withAnswers,
  type ZoneAsking,
  type ZoneBatch,
  zoneAskingKey,
  zoneAskings,
  zoneBatches,
  zoneBatchKey,
} from '../zone-asking.ts';
import { findServer } from './find-server.ts';
import { refuseWhilePaused } from './pause-all.ts';
import { loadInventory } from './stored-inventory.ts';

export const askZonesInput = z.object({
  /** Names or ids; without them all that are active. */
  servers: z.array(z.string().min(1).max(255)).min(1).max(1000).optional(),
  by: z.string().min(1).max(255),
});

export interface AskZonesPorts extends Pick<Ports, 'records' | 'objects' | 'fleet'> {
  readonly commands: Pick<Commands, 'pin' | 'send' | 'find'>;
}

/** Several at a time, since each waits for three services; Run Command's own pace is held below. */
const batchesAtOnce = 4;
/** Run Command took nothing: with its pace held, the next call may be taken. */
const mostSends = 5;

/**
 * Nothing follows for the inventory. A server that can not be asked has its reason among the answers.
 *
 * @returns the asking, all of it sent
 * @throws Refused before anything was sent
 */
export async function askZones(
  ports: AskZonesPorts,
  input: z.input<typeof askZonesInput>,
  now: Instant,
): Promise<ZoneAsking> {
  const asked = askZonesInput.parse(input);
  await refuseWhilePaused(ports);
  const { servers } = await loadInventory(ports);
  const { askable, left } = chosen(servers, asked.servers);
  if (askable.length === 0)
    throw new Refused(
      'no-servers',
      left[0] ? `${left[0].server} ${left[0].why}` : 'there are no active servers: import a list first',
    );
  const asking: ZoneAsking = {
    schema: 1,
    id: `zones-${Math.floor(millisOf(now) / 1000)}`,
    by: asked.by,
    at: now,
    state: 'sending',
    leaseUntil: plusSeconds(now, askSeconds),
    answersBy: plusSeconds(now, askSeconds + deliverySeconds + executionSeconds),
    servers: askable.length,
    left: { count: left.length, first: left.slice(0, 20) },
  };
  await claim(ports, asking);
  const batches = batchesOf(asking, askable);
  // All of them first: whoever shows the asking meanwhile sees everybody who was meant.
  await inParallel(batches, storeParallelism, (batch) => create(ports.records, zoneBatches, batch));
  const pin = oncePerPlace(ports.commands);
  await inParallel(batches, batchesAtOnce, (batch) => sendBatch(ports, asking, batch, pin, now));
  return update(ports.records, zoneAskings, zoneAskingKey, (current) =>
    current.id === asking.id ? { ...current, state: 'sent' } : undefined,
  );
}

interface Askable extends AskedServer, Pick<ZoneBatch, 'place'> {}

function chosen(all: readonly StoredServer[], named: readonly string[] | undefined) {
  const meant = named
    ? new Set(named.map((name) => all.find((one) => one.instanceId === name) ?? findServer(all, name)))
    : all.filter(({ active }) => active);
  const askable = new Map<string, Askable>();
  const left: { server: string; why: string }[] = [];
  for (const { name, zone, instanceId, account, region } of meant) {
    const id = serverIdSchema.safeParse(instanceId);
    const place = placeSchema.safeParse({ account, region });
    if (id.success && place.success) askable.set(id.data, { id: id.data, name, zone, place: place.data });
    else
      left.push({
        server: name,
        why: 'has no instance id, account and Region: sync the servers, or complete the list',
      });
  }
  return { askable: [...askable.values()], left };
}

/** One asking sends at a time, and its id names it: two of one second are one too many. */
async function claim({ records }: Pick<Ports, 'records'>, wanted: ZoneAsking): Promise<void> {
  if (await create(records, zoneAskings, wanted)) return;
  await update(records, zoneAskings, zoneAskingKey, (current) => {
    const isSending = current.state === 'sending' && wanted.at < current.leaseUntil;
    if (!isSending && current.id !== wanted.id) return wanted;
    throw new Refused(
      'zones-being-asked',
      `servers are being asked by ${current.by} since ${current.at}: wait until that is done, ${current.leaseUntil} at the latest`,
    );
  });
}

function batchesOf({ id }: ZoneAsking, askable: readonly Askable[]): ZoneBatch[] {
  const byPlace = new Map<string, Askable[]>();
  for (const server of askable) {
    const key = placeKey(server.place);
    const there = byPlace.get(key);
    // A copy for each of 100,000 servers would take minutes.
    if (there) there.push(server);
    else byPlace.set(key, [server]);
  }
  const parts = [...byPlace.values()].flatMap((servers) =>
    Array.from({ length: Math.ceil(servers.length / batchLimit) }, (_, index) =>
      servers.slice(index * batchLimit, (index + 1) * batchLimit),
    ),
  );
  return parts.map((servers, index) => ({
    schema: 1,
    askingId: id,
    number: index + 1,
    place: (servers[0] as Askable).place,
    servers: servers.map(({ id: serverId, name, zone }) => ({ id: serverId, name, zone })),
    commands: [],
    answers: {},
  }));
}

type PinIn = (place: ZoneBatch['place']) => Promise<DocumentPin>;

function oncePerPlace({ pin }: Pick<Commands, 'pin'>): PinIn {
  const pins = new Map<string, Promise<DocumentPin>>();
  return (place) => {
    const pinned = pins.get(placeKey(place)) ?? pin(place, timeZoneDocument);
    pins.set(placeKey(place), pinned);
    return pinned;
  };
}

/** What keeps a batch from being sent is the answer of its servers; the others go on. */
async function sendBatch(
  ports: AskZonesPorts,
  asking: ZoneAsking,
  batch: ZoneBatch,
  pin: PinIn,
  now: Instant,
): Promise<void> {
  const ids = batch.servers.map(({ id }) => id);
  let online: string[];
  let document: DocumentPin;
  try {
    const presence = await ports.fleet.presence(batch.place, ids);
    const isOnline = (id: string) => presence.get(id) === 'online';
    online = ids.filter(isOnline);
    for (const why of ['offline', 'gone'] as const) {
      const absent = ids.filter((id) => (presence.get(id) ?? 'gone') === why);
      await keepSilent(ports, batch, absent, absence[why], now);
    }
    if (online.length === 0) return;
    document = await pin(batch.place);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return keepSilent(ports, batch, ids, why, now);
  }
  await sendTo({ ports, asking, batch, document, now }, online);
}

const absence = {
  offline: 'its agent does not answer',
  gone: 'it is gone, or has no opt-in tag',
} as const;

interface Sending {
  readonly ports: AskZonesPorts;
  readonly asking: ZoneAsking;
  readonly batch: ZoneBatch;
  readonly document: DocumentPin;
  readonly now: Instant;
}

/** The document changes nothing, so a command that went out and is not known of does no harm: nobody hears its answer. */
async function sendTo(sending: Sending, ids: readonly string[], attempt = 1): Promise<void> {
  const { ports, asking, batch, document, now } = sending;
  const comment = `${asking.id} ${batch.number} ${ids[0]}-${ids.length}`;
  try {
    const commandId = await ports.commands.send(batch.place, {
      document,
      serverIds: ids,
      parameters: {},
      comment,
      deliveryTimeout: deliverySeconds,
    });
    await recordCommand(sending, commandId);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    if (error.code === 'throttled' && attempt < mostSends) return sendTo(sending, ids, attempt + 1);
    if (error.code === 'invalid-servers' && ids.length > 1) {
      // Run Command refuses all for one that it does not know: somebody may have gone since they were looked at.
      const middle = Math.ceil(ids.length / 2);
      await sendTo(sending, ids.slice(0, middle));
      return sendTo(sending, ids.slice(middle));
    }
    const since = lookFrom(now);
    const found = error.code === 'ambiguous' ? await ports.commands.find(batch.place, comment, since) : [];
    for (const { commandId } of found) await recordCommand(sending, commandId);
    if (found.length === 0) await keepSilent(ports, batch, ids, `it was not asked: ${error.message}`, now);
  }
}

async function recordCommand({ ports, batch }: Sending, commandId: string): Promise<void> {
  await update(ports.records, zoneBatches, zoneBatchKey(batch), (current) =>
    current.commands.includes(commandId)
      ? undefined
      : { ...current, commands: [...current.commands, commandId] },
  );
}

async function keepSilent(
  { records }: Pick<Ports, 'records'>,
  batch: ZoneBatch,
  ids: readonly string[],
  why: string,
  now: Instant,
): Promise<void> {
  if (ids.length === 0) return;
  const answers = Object.fromEntries(ids.map((id) => [id, silent(why, now)]));
  await update(records, zoneBatches, zoneBatchKey(batch), (current) => withAnswers(current, answers));
}
