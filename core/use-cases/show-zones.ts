/** Shows what servers said of their time zones beside what is recorded, and reads the answers that are still out. */
import * as z from 'zod';
import { Refused } from '../calls.ts';
import { parseRecord, update } from '../entities.ts';
import type { Instant } from '../instant.ts';
import { compareZone, detectZone, type ZoneReport, zoneReportSchema } from '../inventory/detected-zone.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { inParallel } from '../parallel.ts';
import type { Commands, Invocation, Objects, Ports } from '../ports.ts';
import {
  type AskedServer,
  listZoneBatches,
  silent,
  waitingIn,
  withAnswers,
  type ZoneAnswer,
  type ZoneAsking,
  type ZoneBatch,
  zoneAskingKey,
  zoneAskings,
  zoneBatches,
  zoneBatchKey,
} from '../zone-asking.ts';
import { loadInventory } from './stored-inventory.ts';

export const showZonesInput = z.object({});

export interface ShowZonesPorts extends Pick<Ports, 'records'> {
  readonly objects: Objects;
  readonly commands: Pick<Commands, 'invocations'>;
}

/** In the order in which people want to see them. */
export const shownVerdicts = ['differs', 'contradictory', 'possible', 'unknown', 'waiting', 'same'] as const;

export interface ShownZone {
  readonly server: string;
  readonly id: string;
  /**
   * `contradictory`: what counts of its answers fits, and others do not agree. `unknown`: it said nothing that tells.
   * `waiting`: it may still answer.
   */
  readonly verdict: (typeof shownVerdicts)[number];
  /** A zone, or an offset like `+01:00`; null while there is neither. */
  readonly says: string | null;
  readonly method: string | null;
  /** In the inventory as it is now; null where the server is in it no more. */
  readonly recorded: string | null;
  readonly words: string;
  readonly disagreements: readonly string[];
  /** When it was heard. */
  readonly at: Instant | null;
}

export interface ShowZonesOutput extends Omit<ZoneAsking, 'schema'> {
  /** Nobody can say anything more. */
  readonly complete: boolean;
  readonly counts: Readonly<Record<ShownZone['verdict'], number>>;
  /** What differs first, then by name. */
  readonly rows: readonly ShownZone[];
  /** Batches whose answers could not be read; they are read when somebody looks again. */
  readonly unread: readonly string[];
}

/** One page of invocations for each command. */
const commandsAtOnce = 8;

/** @throws Refused where nobody asked */
export async function showZones(ports: ShowZonesPorts, now: Instant): Promise<ShowZonesOutput> {
  const record = await ports.records.get(zoneAskingKey);
  if (record === undefined)
    throw new Refused(
      'no-zones',
      'nobody has asked servers for their time zones: quarterdeck zones ask --aws',
    );
  const { schema: _schema, ...asking } = parseRecord(zoneAskings, record);
  const unread = new Set<string>();
  const batches = await inParallel(
    await listZoneBatches(ports.records, asking.id),
    commandsAtOnce,
    async (batch) => {
      try {
        return await settle(ports, asking, batch, now);
      } catch (error) {
        const { account, region } = batch.place;
        unread.add(`${account}/${region}: ${error instanceof Error ? error.message : String(error)}`);
        return batch;
      }
    },
  );
  const { servers } = await loadInventory(ports);
  const known = new Map(servers.flatMap((one) => (one.instanceId ? [[one.instanceId, one] as const] : [])));
  const rows = batches
    .flatMap((batch) =>
      batch.servers.map((server) => shown(server, batch.answers[server.id], known.get(server.id), asking.at)),
    )
    .toSorted(
      (a, b) =>
        shownVerdicts.indexOf(a.verdict) - shownVerdicts.indexOf(b.verdict) ||
        (a.server < b.server ? -1 : a.server > b.server ? 1 : 0),
    );
  const count = (verdict: ShownZone['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return {
    ...asking,
    complete: batches.every((batch) => waitingIn(batch).length === 0),
    counts: Object.fromEntries(
      shownVerdicts.map((verdict) => [verdict, count(verdict)]),
    ) as ShowZonesOutput['counts'],
    rows,
    unread: [...unread],
  };
}

/** What is heard once stays as it was heard, however often and by how many it is looked at. */
async function settle(
  ports: ShowZonesPorts,
  asking: Pick<ZoneAsking, 'at' | 'answersBy'>,
  batch: ZoneBatch,
  now: Instant,
): Promise<ZoneBatch> {
  const waiting = waitingIn(batch);
  if (waiting.length === 0) return batch;
  const invocations = new Map<string, Invocation>();
  for (const commandId of batch.commands)
    for (const one of await ports.commands.invocations(batch.place, commandId))
      invocations.set(one.serverId, one);
  const isOver = now >= asking.answersBy;
  const answers = waiting.flatMap((server): [string, ZoneAnswer][] => {
    const invocation = invocations.get(server.id);
    if (invocation?.terminal) return [[server.id, answerOf(server, invocation, asking.at, now)]];
    return isOver ? [[server.id, silent(`nothing was heard of it by ${asking.answersBy}`, now)]] : [];
  });
  if (answers.length === 0) return batch;
  return update(ports.records, zoneBatches, zoneBatchKey(batch), (current) =>
    withAnswers(current, Object.fromEntries(answers)),
  );
}

function answerOf(
  { zone }: AskedServer,
  { status, statusDetails, summary }: Invocation,
  askedAt: Instant,
  now: Instant,
): ZoneAnswer {
  const report = status === 'succeeded' ? reportIn(summary, askedAt) : undefined;
  if (report === undefined)
    return silent(
      status === 'succeeded' ? 'what it said can not be read' : `Run Command says ${statusDetails}`,
      now,
    );
  const { best = null, disagreements } = detectZone(report);
  const compared = compareZone(zone, best ? { best } : {}, askedAt);
  return { kind: 'said', best, disagreements: [...disagreements], ...compared, at: now };
}

/** Its first line: Run Command puts what was said on stderr behind it. */
function reportIn(output: string, at: Instant): ZoneReport | undefined {
  try {
    const said = z.record(z.string(), z.unknown()).parse(JSON.parse(output.split('\n', 1)[0] ?? ''));
    return zoneReportSchema.parse({ ...said, at });
  } catch {
    return undefined;
  }
}

/** Beside what is recorded by now: somebody may have mended it since. */
function shown(
  { id, name, zone }: AskedServer,
  answer: ZoneAnswer | undefined,
  known: Pick<StoredServer, 'name' | 'zone'> | undefined,
  askedAt: Instant,
): ShownZone {
  const row = { server: known?.name ?? name, id, recorded: known?.zone ?? null };
  const unheard = { ...row, says: null, method: null, disagreements: [] };
  if (answer === undefined)
    return { ...unheard, verdict: 'waiting', words: 'it has not answered yet', at: null };
  if (answer.kind === 'silent') return { ...unheard, verdict: 'unknown', words: answer.why, at: answer.at };
  const { best, disagreements, at } = answer;
  const isMended = known !== undefined && known.zone !== zone;
  const { verdict, words } = isMended
    ? compareZone(known.zone, best ? { best } : {}, askedAt)
    : { verdict: answer.verdict, words: answer.words };
  return {
    ...row,
    verdict: verdict !== 'differs' && disagreements.length > 0 ? 'contradictory' : verdict,
    says: best === null ? null : best.kind === 'zone' ? best.zone : best.offset,
    method: best?.method ?? null,
    words,
    disagreements,
    at,
  };
}
