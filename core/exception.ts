/** Owns exceptions and holds: who or what stays out of an update, for how long, and why. */
import * as z from 'zod';
import { exclusionPattern } from './exclusion-pattern.ts';
import { type Instant, instantSchema } from './instant.ts';
import type { Reason } from './outcome.ts';
import type { PlanEntry } from './plan.ts';
import { type Server, serverIdSchema } from './server.ts';

export const exceptionSchema = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]{1,64}$/),
  scope: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('server'), serverId: serverIdSchema }),
    z.object({ kind: z.literal('group'), hostGroup: z.string().min(1).max(128) }),
    z.object({ kind: z.literal('everywhere') }),
  ]),
  /** A package name or `*` glob; null holds the whole server. */
  package: z.string().regex(exclusionPattern).nullable(),
  reason: z.string().min(1).max(400),
  requester: z.string().min(1).max(255),
  from: instantSchema,
  until: instantSchema,
});
export type Exception = z.infer<typeof exceptionSchema>;

/** Exceptions in force for a server at a moment. */
export function exceptionsFor(server: Server, all: readonly Exception[], at: Instant): Exception[] {
  return all.filter(({ scope, from, until }) => from <= at && at < until && covers(scope, server));
}

function covers(scope: Exception['scope'], server: Server): boolean {
  switch (scope.kind) {
    case 'everywhere':
      return true;
    case 'group':
      return scope.hostGroup === server.hostGroup;
    case 'server':
      return scope.serverId === server.id;
  }
}

/** Why the whole server is held, or undefined. */
export function heldBy(inForce: readonly Exception[]): Reason | undefined {
  const hold = inForce.find((exception) => exception.package === null);
  return (
    hold && {
      code: 'hold',
      detail: `held until ${hold.until} by ${hold.requester}: ${hold.reason}`.slice(0, 400),
    }
  );
}

/**
 * Why a sealed plan may no longer be carried out: an exception that came after sealing covers one of its packages.
 * The plan was approved as a whole and is never cut down, so the server is held.
 */
export function plannedAgainst(
  plan: readonly PlanEntry[],
  inForce: readonly Exception[],
): Reason | undefined {
  for (const exception of inForce) {
    const glob = exception.package;
    if (glob === null) continue;
    const entry = plan.find(({ name }) => isMatch(glob, name));
    if (entry) {
      const detail = `${entry.name} is excepted until ${exception.until} by ${exception.requester}: ${exception.reason}`;
      return { code: 'excepted-after-sealing', detail: detail.slice(0, 400) };
    }
  }
  return undefined;
}

/**
 * Whether `*` for any characters makes the name of the glob. By hand, since a regular expression of many `*` can
 * take longer than a campaign; this one steps back to the last `*` only.
 */
function isMatch(glob: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < name.length; ) {
    if (glob[at] === '*') {
      star = at++;
      resume = index;
    } else if (glob[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  return /^\**$/.test(glob.slice(at));
}
