/** Asks for a reboot of one server, and takes that back; one waits or runs per server. */
import * as z from 'zod';
import { nextRuns, parseCron } from '../calendar/cron.ts';
import { createZoneClock } from '../calendar/zone-clock.ts';
import { Refused } from '../calls.ts';
import type { Campaign } from '../campaign.ts';
import { create, load, MissingItemError, update } from '../entities.ts';
import { type Instant, instantOf, instantSchema, millisOf, plusSeconds } from '../instant.ts';
import type { Reason } from '../outcome.ts';
import { type Policy, policySchema } from '../policy.ts';
import type { Ports } from '../ports.ts';
import {
  endReboot,
  isOpen,
  latestSend,
  pastOf,
  type Reboot,
  rebootKey,
  rebootModeSchema,
  rebootSchema,
  reboots,
  termsOf,
} from '../reboot.ts';
import { type Server, serverSchema } from '../server.ts';
import { type Window, windowSchema } from '../window.ts';

export const requestRebootInput = z.object({
  server: serverSchema,
  policy: policySchema,
  hybridRoleId: z.string().optional(),
  mode: rebootModeSchema.default('if-needed'),
  reason: rebootSchema.shape.reason,
  by: rebootSchema.shape.by,
  window: windowSchema,
});

/**
 * @returns the reboot as it waits
 * @throws Refused `reboot-pending` when one waits or runs, `window-too-short`, `reboot-withheld` by the policy
 */
export async function requestReboot(
  { records }: Pick<Ports, 'records'>,
  input: z.input<typeof requestRebootInput>,
  now: Instant,
): Promise<Reboot> {
  const { server, policy, hybridRoleId, mode, reason, by, window } = requestRebootInput.parse(input);
  if (policy.reboot === 'never')
    throw new Refused('reboot-withheld', `policy ${policy.name} says that ${server.name} is never rebooted`);
  const wanted: Reboot = {
    schema: 1,
    id: `reboot-${server.id}-${Math.floor(millisOf(now) / 1000)}`,
    server,
    mode,
    reason,
    by,
    requestedAt: now,
    window,
    state: 'pending',
    reasons: [],
    attempts: 0,
    sent: null,
    boot: null,
    endedAt: null,
    terms: termsOf(policy, server, hybridRoleId),
    past: [],
  };
  const first = window.start > now ? window.start : now;
  if (latestSend(wanted) < first) {
    const needed = Math.ceil((millisOf(window.end) - millisOf(latestSend(wanted))) / 60_000);
    throw new Refused(
      'window-too-short',
      `a reboot of ${server.name} takes up to ${needed} minutes, and the window ends at ${window.end}: make it longer`,
    );
  }
  if (await create(records, reboots, wanted)) return wanted;
  return update(records, reboots, rebootKey(server.id), (current) => {
    if (isOpen(current)) {
      const message = `${server.name} has a reboot that is ${current.state}, asked for by ${current.by} at ${current.requestedAt} (${current.reason}): wait for it, or cancel it`;
      throw new Refused('reboot-pending', message);
    }
    return { ...wanted, past: pastOf(current) };
  });
}

export const cancelRebootInput = z.object({
  serverId: serverSchema.shape.id,
  by: rebootSchema.shape.by,
  reason: rebootSchema.shape.reason,
});

/** @throws Refused when none waits: what was sent can not be taken back */
export async function cancelReboot(
  { records }: Pick<Ports, 'records'>,
  input: z.input<typeof cancelRebootInput>,
  now: Instant,
): Promise<Reboot> {
  const { serverId, by, reason } = cancelRebootInput.parse(input);
  const none = () => new Refused('no-reboot', `no reboot of ${serverId} waits`);
  try {
    return await update(records, reboots, rebootKey(serverId), (current) => {
      if (!isOpen(current)) throw none();
      if (current.state !== 'pending')
        throw new Refused(
          'reboot-under-way',
          `the reboot of ${serverId} is ${current.state}, and runs to its end`,
        );
      const detail = `cancelled by ${by}: ${reason}`;
      return endReboot(current, 'cancelled', [{ code: 'cancelled', detail: detail.slice(0, 400) }], now);
    });
  } catch (error) {
    if (error instanceof MissingItemError) throw none();
    throw error;
  }
}

/** What is known of the reboot of a server, the last one and those before it. @throws Refused */
export async function showReboot({ records }: Pick<Ports, 'records'>, serverId: string): Promise<Reboot> {
  try {
    return await load(records, reboots, rebootKey(serverId));
  } catch (error) {
    if (error instanceof MissingItemError)
      throw new Refused('no-reboot', `nobody has asked for a reboot of ${serverId}`);
    throw error;
  }
}

/** What a person says. */
export const askedRebootInput = requestRebootInput.pick({ mode: true, reason: true, by: true }).extend({
  /** Id or name. */
  server: z.string().min(1).max(255),
  /** When it may begin; undefined is the policy's next window, or now where a length is given. */
  start: instantSchema.optional(),
  minutes: z.number().int().min(15).max(1440).optional(),
});

export function windowOf(
  policy: Policy,
  zone: string,
  { start, minutes }: { readonly start?: Instant | undefined; readonly minutes?: number | undefined },
  now: Instant,
): Window {
  if (start === undefined && minutes === undefined) return nextRebootWindow(policy, zone, now);
  const from = start ?? now;
  return { start: from, end: plusSeconds(from, (minutes ?? policy.rebootWindow.minutes) * 60), zone };
}

export const showRebootInput = z.object({ serverId: serverSchema.shape.id });

/** The next window that a policy gives reboots of their own, in the zone of the server. */
function nextRebootWindow({ rebootWindow: { cron, minutes } }: Policy, zone: string, now: Instant): Window {
  const [run] = nextRuns(parseCron(cron), createZoneClock(zone), millisOf(now), 1);
  if (run === undefined)
    throw new Refused('no-reboot-window', `${cron} never comes: change rebootWindow.cron`);
  const start = instantOf(run.at);
  return { start, end: plusSeconds(start, minutes * 60), zone };
}

/**
 * What a patch left for later: a reboot that its policy wants in a window of its own. Asked for already, it stays as it is.
 *
 * @returns why there can be none: the policy gives it no window, or one in which it can not end
 */
export async function leaveReboot(
  ports: Pick<Ports, 'records'>,
  { id, policy, hybridRoleId }: Pick<Campaign, 'id' | 'policy' | 'hybridRoleId'>,
  server: Server,
  now: Instant,
): Promise<Reason | undefined> {
  const asked = {
    server,
    policy,
    reason: `left by the patch of campaign ${id}`,
    by: `campaign ${id}`,
    ...(hybridRoleId && { hybridRoleId }),
  };
  try {
    await requestReboot(ports, { ...asked, window: nextRebootWindow(policy, server.zone, now) }, now);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code !== 'reboot-pending')
      return { code: 'reboot-not-left', detail: error.message.slice(0, 400) };
  }
  return undefined;
}
