/** Owns the order among servers: who must have been patched before whom. */
import type { Ledger } from './ledger.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Problem } from './set-dates.ts';
import type { Slot } from './slots.ts';

export interface DependencyOrder {
  /** What a server depends on, and who depends on it. */
  readonly links: Links;
  /** Servers by depth: those of a level depend on servers of earlier levels only. */
  readonly levels: readonly (readonly ServerToPlan[])[];
  readonly broken: readonly { readonly server: ServerToPlan; readonly message: string }[];
}

export interface Links {
  before(server: ServerToPlan): readonly ServerToPlan[];
  after(server: ServerToPlan): readonly ServerToPlan[];
}

const none: readonly ServerToPlan[] = [];

/** @param byName all servers that there are, by lower-case name */
export function dependencyOrder(
  servers: readonly ServerToPlan[],
  byName: ReadonlyMap<string, ServerToPlan>,
): DependencyOrder {
  const broken: { server: ServerToPlan; message: string }[] = [];
  const before = new Map<ServerToPlan, ServerToPlan[]>();
  const after = new Map<ServerToPlan, ServerToPlan[]>();
  for (const server of servers) {
    for (const name of server.dependsOn ?? []) {
      const other = byName.get(name.toLowerCase());
      if (other === undefined) {
        const message = `depends on ${name}, which is not among the servers: correct the name`;
        broken.push({ server, message });
        continue;
      }
      addTo(before, server, other);
      addTo(after, other, server);
    }
  }
  const links: Links = {
    before: (server) => before.get(server) ?? none,
    after: (server) => after.get(server) ?? none,
  };
  // Level by level: a server is settled when all that it waits for is. What is not planned is not waited for.
  const planned = new Set(servers);
  const waiting = new Map<ServerToPlan, number>();
  for (const [server, others] of before) {
    const count = others.filter((other) => planned.has(other)).length;
    if (count > 0) waiting.set(server, count);
  }
  const levels: ServerToPlan[][] = [];
  let level = servers.filter((server) => !waiting.has(server));
  while (level.length > 0) {
    levels.push(level);
    const next: ServerToPlan[] = [];
    for (const server of level.flatMap((settled) => links.after(settled))) {
      const left = (waiting.get(server) as number) - 1;
      if (left > 0) waiting.set(server, left);
      else {
        waiting.delete(server);
        next.push(server);
      }
    }
    level = next;
  }
  const circling = inCircles([...waiting.keys()], links);
  for (const server of waiting.keys()) {
    const names = server.dependsOn?.join(', ');
    const message = circling.has(server)
      ? `depends on ${names}, and in the end on itself: break the circle`
      : `depends on ${names}, and in the end on servers that depend on each other: break their circle`;
    broken.push({ server, message });
  }
  return { links, levels, broken };
}

/** Of servers that wait for each other those that are waited for, again and again: the others only stand behind them. */
function inCircles(waiting: readonly ServerToPlan[], links: Links): ReadonlySet<ServerToPlan> {
  const circling = new Set(waiting);
  const waitedFor = new Map(
    waiting.map((server) => [server, links.after(server).filter((other) => circling.has(other)).length]),
  );
  const behind = waiting.filter((server) => waitedFor.get(server) === 0);
  for (const server of behind) {
    circling.delete(server);
    for (const other of links.before(server)) {
      if (!circling.has(other)) continue;
      const left = (waitedFor.get(other) as number) - 1;
      waitedFor.set(other, left);
      if (left === 0) behind.push(other);
    }
  }
  return circling;
}

function addTo(map: Map<ServerToPlan, ServerToPlan[]>, key: ServerToPlan, server: ServerToPlan): void {
  const list = map.get(key);
  if (list) list.push(server);
  else map.set(key, [server]);
}

/**
 * Why a window comes too early for what the server depends on. The first window is held to their first, the second to
 * their second, and so on.
 *
 * @param index of the window among those of the server
 */
export function whyTooEarly(
  server: ServerToPlan,
  slot: Slot,
  index: number,
  links: Links,
  ledger: Ledger,
): Problem | undefined {
  for (const other of links.before(server)) {
    const theirs = ledger.windowsOf(other)[index];
    if (theirs && theirs.endMillis > slot.startMillis) {
      const message = `${slot.words} is before the end of the window of ${other.name}, on which it depends (${theirs.words})`;
      return { code: 'dependency-broken', message };
    }
  }
  return undefined;
}

/** Why a window comes too late for servers that depend on this one and have theirs already. */
export function whyTooLate(
  server: ServerToPlan,
  slot: Slot,
  index: number,
  links: Links,
  ledger: Ledger,
): Problem | undefined {
  for (const other of links.after(server)) {
    const theirs = ledger.windowsOf(other)[index];
    if (theirs && slot.endMillis > theirs.startMillis) {
      const message = `${slot.words} ends after the window of ${other.name} begins, which depends on it (${theirs.words})`;
      return { code: 'dependency-broken', message };
    }
  }
  return undefined;
}
