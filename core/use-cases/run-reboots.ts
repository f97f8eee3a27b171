/** Sends reboots whose window is open, and settles those that were sent. */
import { lookFrom } from '../command-search.ts';
import { documentName } from '../document.ts';
import { exceptions, exceptionsPartition, listAll, parseRecord, update } from '../entities.ts';
import { type Exception, exceptionsFor, heldBy } from '../exception.ts';
import { type Instant, plusSeconds } from '../instant.ts';
import { isFor } from '../only.ts';
import { orderText } from '../order.ts';
import type { Reason } from '../outcome.ts';
import { sha256Of } from '../plan.ts';
import { type Commands, type Invocation, type Objects, PortError, type Ports } from '../ports.ts';
import {
  endReboot,
  isOpen,
  mostAttempts,
  type Reboot,
  rebootCommandSeconds,
  rebootKey,
  rebootParameters,
  rebootShards,
  reboots,
} from '../reboot.ts';
import { serverPrefix } from '../result-object.ts';
import type { Summary } from '../summary.ts';
import { whyNotIn } from '../window.ts';
import { claimRestart } from './claim-ha-groups.ts';
import { readResult } from './orders.ts';
import { pausedBy } from './pause-all.ts';
import { readSummary } from './settle-job.ts';

export interface RebootPorts extends Pick<Ports, 'records' | 'fleet'> {
  readonly objects: Objects;
  readonly commands: Pick<Commands, 'pin' | 'send' | 'find' | 'invocations'>;
}

const perShard = 100;

export interface RebootReport {
  readonly looked: number;
  readonly ended: readonly Reboot[];
  readonly failed: readonly { readonly item: string; readonly error: string }[];
}

/** One that can not be looked at does not keep the others from it. */
export async function runReboots(ports: RebootPorts, now: Instant): Promise<RebootReport> {
  const failed: { item: string; error: string }[] = [];
  const ended: Reboot[] = [];
  let looked = 0;
  const inForce = await listAll(ports.records, exceptions, exceptionsPartition, '');
  for (const shard of rebootShards) {
    for (const record of await ports.records.listDue(shard, now, perShard)) {
      looked++;
      try {
        const reboot = parseRecord(reboots, record);
        const next = await (reboot.state === 'pending'
          ? begin(ports, reboot, inForce, now)
          : follow(ports, reboot, now));
        if (!isOpen(next) && next.endedAt === now) ended.push(next);
      } catch (error) {
        failed.push({ item: `${record.key.partition}/${record.key.sort}`, error: String(error) });
      }
    }
  }
  return { looked, ended, failed };
}

/**
 * Only while it is as far as it was seen: a run of this may outlast the minute until the next, and what one of them has
 * ended, or sent again, the other has looked at before.
 */
const change = (
  { records }: Pick<Ports, 'records'>,
  seen: Reboot,
  decide: (current: Reboot) => Reboot | undefined,
): Promise<Reboot> =>
  update(records, reboots, rebootKey(seen.server.id), (current) =>
    isAsFar(current, seen) ? decide(current) : undefined,
  );

/** By its id as well: another may have been asked for since this one ended. */
const isAsFar = (current: Reboot, seen: Reboot): boolean =>
  current.id === seen.id &&
  isOpen(current) &&
  current.attempts === seen.attempts &&
  (current.state === 'pending') === (seen.state === 'pending');

const waitsFor = (ports: RebootPorts, reboot: Reboot, reason: Reason) =>
  change(ports, reboot, (current) =>
    current.reasons[0]?.detail === reason.detail ? undefined : { ...current, reasons: [reason] },
  );

async function begin(
  ports: RebootPorts,
  reboot: Reboot,
  inForce: readonly Exception[],
  now: Instant,
): Promise<Reboot> {
  const { server, window } = reboot;
  const closed = whyNotIn(window, now, rebootCommandSeconds(reboot));
  if (closed?.code === 'window-not-open') return reboot;
  if (closed) {
    // What kept it from being sent is what people want to know.
    return change(ports, reboot, (current) =>
      endReboot(current, 'missed', [...current.reasons, closed], now),
    );
  }
  const paused = await pausedBy(ports);
  if (paused) return waitsFor(ports, reboot, paused);
  const held = heldBy(exceptionsFor(server, inForce, now));
  if (held) return waitsFor(ports, reboot, held);
  const presence = (await ports.fleet.presence(server.place, [server.id])).get(server.id);
  if (presence === 'gone') {
    const reason = { code: 'server-gone', detail: `${server.id} is gone, or has no opt-in tag any more` };
    return change(ports, reboot, (current) => endReboot(current, 'failed', [reason], now));
  }
  if (presence === 'offline')
    return waitsFor(ports, reboot, {
      code: 'server-offline',
      detail: `the agent of ${server.id} does not answer`,
    });
  // Last of all: what waits for something else keeps no other member from its turn.
  const peer = await claimRestart(ports, server, now);
  if (peer) return waitsFor(ports, reboot, peer);
  return send(ports, reboot, now);
}

/** Recorded before it is sent: whoever comes after an interruption looks for it, and does not send it again. */
async function send(ports: RebootPorts, reboot: Reboot, now: Instant): Promise<Reboot> {
  const { server, terms } = reboot;
  const order = await writeOrder(ports.objects, reboot);
  const document = await ports.commands.pin(server.place, documentName(server.family, 'reboot'));
  const deadline = plusSeconds(now, rebootCommandSeconds(reboot));
  let mine = false;
  const claimed = await change(ports, reboot, (current) => {
    mine = true;
    const attempts = current.attempts + 1;
    return { ...current, state: 'sent', reasons: [], attempts, sent: { at: now, commandId: null, deadline } };
  });
  if (!mine) return claimed;
  try {
    const commandId = await ports.commands.send(server.place, {
      document,
      serverIds: [server.id],
      parameters: rebootParameters(reboot, ports.objects, order),
      comment: commentOf(claimed),
      deliveryTimeout: terms.deliverySeconds,
    });
    return await change(ports, claimed, (current) => withCommand(current, commandId));
  } catch (error) {
    if (!(error instanceof PortError) || error.code === 'ambiguous') throw error;
    // Nothing ran, so this was no attempt.
    const reason: Reason = { code: 'not-sent', detail: error.message.slice(0, 400) };
    return change(ports, claimed, (current) =>
      error.code === 'invalid-servers'
        ? endReboot(current, 'failed', [reason], now)
        : { ...current, state: 'pending', attempts: current.attempts - 1, sent: null, reasons: [reason] },
    );
  }
}

const commentOf = ({ id, attempts }: Reboot) => `${id} ${attempts}`;

const withCommand = (reboot: Reboot, commandId: string): Reboot | undefined =>
  reboot.sent ? { ...reboot, sent: { ...reboot.sent, commandId } } : undefined;

async function writeOrder(objects: Objects, { id, server, terms: { validation } }: Reboot) {
  const meant = <Item extends { readonly only?: Parameters<typeof isFor>[0]['only'] }>(
    items: readonly Item[],
  ) => items.filter((item) => isFor(item, server));
  const text = orderText(id, 'reboot', [
    {
      serverId: server.id,
      exclusions: [],
      plan: null,
      services: meant(validation.services).map(({ unit }) => unit),
      probes: meant(validation.probes),
    },
  ]);
  const sha256 = sha256Of(text);
  const key = `orders/${sha256}.txt`;
  await objects.put(key, text);
  return { key, sha256 };
}

async function follow(ports: RebootPorts, reboot: Reboot, now: Instant): Promise<Reboot> {
  const { server, sent } = reboot;
  if (sent === null) throw new Error(`reboot ${reboot.id} is ${reboot.state} and was never sent`);
  const commandId = sent.commandId ?? (await findCommand(ports, reboot));
  if (sent.commandId === null && commandId !== undefined)
    await change(ports, reboot, (current) => withCommand(current, commandId));
  const invocation =
    commandId === undefined
      ? undefined
      : (await ports.commands.invocations(server.place, commandId)).find(
          ({ serverId }) => serverId === server.id,
        );
  if (invocation?.terminal) return settle(ports, reboot, invocation, now);
  if (now >= sent.deadline) {
    const detail = `nothing was heard of the reboot of ${server.id} by ${sent.deadline}; it may be down`;
    return change(ports, reboot, (current) =>
      endReboot(current, 'timeout', [{ code: 'no-answer', detail }], now),
    );
  }
  if (reboot.state === 'sent' && invocation?.status === 'in-progress') {
    const presence = (await ports.fleet.presence(server.place, [server.id])).get(server.id);
    if (presence === 'offline')
      return change(ports, reboot, (current) =>
        current.state === 'sent' ? { ...current, state: 'rebooting' } : undefined,
      );
  }
  return reboot;
}

async function findCommand({ commands }: RebootPorts, reboot: Reboot): Promise<string | undefined> {
  const since = lookFrom(reboot.sent?.at ?? reboot.requestedAt);
  return (await commands.find(reboot.server.place, commentOf(reboot), since))[0]?.commandId;
}

async function settle(
  ports: RebootPorts,
  reboot: Reboot,
  invocation: Invocation,
  now: Instant,
): Promise<Reboot> {
  const summary = readSummary(invocation.summary);
  const isOwn =
    summary?.phase === 'reboot' && summary.campaign === reboot.id && summary.server === reboot.server.id;
  if (!isOwn) return withoutWord(ports, reboot, invocation, now);
  const reasons = summary.reasons.length > 0 ? summary.reasons : [{ code: summary.result, detail: '' }];
  const unproven = isGood(summary) ? await whyUnproven(ports.objects, reboot, summary) : undefined;
  const state = isGood(summary) && !unproven ? 'completed' : 'failed';
  return change(ports, reboot, (current) => ({
    ...endReboot(current, state, unproven ? [unproven, ...summary.reasons] : reasons, now),
    boot: summary.boot,
  }));
}

function isGood({ result }: Summary): boolean {
  return result === 'rebooted' || result === 'not-needed';
}

/** A server that says it was restarted has to show it: by its boot, by its health, and by what it wrote. */
async function whyUnproven(
  objects: Objects,
  { id, server, terms }: Reboot,
  { result, boot, facts, object }: Summary,
): Promise<Reason | undefined> {
  const no = (detail: string): Reason => ({ code: 'reboot-unproven', detail: detail.slice(0, 400) });
  const key = `${serverPrefix(server, terms.hybridRoleId)}/${id}/reboot.gz`;
  if (object?.key !== key) return no(`its result object is ${object?.key ?? 'missing'}, and not ${key}`);
  const stored = await readResult(objects, key);
  if (stored.kind === 'unreadable') return no(stored.detail);
  if (sha256Of(stored.content) !== object.sha256) return no('its result object is not what it said');
  if (result === 'not-needed') return undefined;
  if (!boot || boot.before === boot.after) return no('its boot id is the one of before');
  const isWell = facts.healthy === true || (!terms.requireHealthy && facts.healthy === null);
  return isWell ? undefined : no(`healthy: ${facts.healthy === null ? 'unknown' : 'no'}`);
}

/** The command reached nobody, or ended without a word that can be trusted. */
function withoutWord(
  ports: RebootPorts,
  reboot: Reboot,
  { status, statusDetails }: Invocation,
  now: Instant,
): Promise<Reboot> {
  const reached = status !== 'delivery-timed-out' && status !== 'undeliverable';
  const reason: Reason = {
    code: reached ? 'summary-unreadable' : status,
    detail: `Run Command says ${statusDetails} of the reboot of ${reboot.server.id}`.slice(0, 400),
  };
  return change(ports, reboot, (current) => {
    // It says the same of a server that took the command and died over it, so a second one only asks whether it is needed.
    if (!reached && current.attempts < mostAttempts && current.mode === 'if-needed')
      return { ...current, state: 'pending', sent: null, reasons: [reason] };
    return endReboot(current, status === 'execution-timed-out' ? 'timeout' : 'failed', [reason], now);
  });
}
