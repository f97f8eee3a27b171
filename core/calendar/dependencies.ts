/** Owns the order among servers: who must have been patched before whom. */
import type { Ledger } from './ledger.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Problem } from './set-dates.ts';
import type { Slot } from './slots.ts';

export interface DependencyOrder {
  /** Servers by depth: those of a level depend on servers of earlier levels only. */
  readonly levels: readonly (readonly ServerToPlan[])[];
  readonly broken: readonly { readonly server: ServerToPlan; readonly message: string }[];
}

/** @param byName all servers that there are, by lower-case name */
export function dependencyOrder(
  servers: readonly ServerToPlan[],
  byName: ReadonlyMap<string, ServerToPlan>,
): DependencyOrder {
  const broken: { server: ServerToPlan; message: string }[] = [];
  const depths = new Map<ServerToPlan, number>();
  const planned = new Set(servers);
  let open: ServerToPlan[] = [];
  for (const server of servers) {
    if (!server.dependsOn?.length) depths.set(server, 0);
    else {
      const unknown = server.dependsOn.find((name) => !byName.has(name.toLowerCase()));
      if (unknown === undefined) open.push(server);
      else {
        const message = `depends on ${unknown}, which is not among the servers: correct the name`;
        broken.push({ server, message });
      }
    }
  }
  const refused = new Set(broken.map(({ server }) => server));
  const namesOf = (server: ServerToPlan) =>
    (server.dependsOn ?? []).map((name) => byName.get(name.toLowerCase()) as ServerToPlan);
  while (open.length > 0) {
    const next = open.filter((server) =>
      namesOf(server).some((other) => !depths.has(other) && planned.has(other) && !refused.has(other)),
    );
    if (next.length === open.length) break;
    const still = new Set(next);
    const settled = open.filter((server) => !still.has(server));
    // After all were looked at: a server of this round must not be deeper for standing later in the list.
    const found = settled.map(
      (server) => 1 + Math.max(-1, ...namesOf(server).map((other) => depths.get(other) ?? -1)),
    );
    for (const [index, server] of settled.entries()) depths.set(server, found[index] as number);
    open = next;
  }
  for (const server of open) {
    const message = `depends on ${server.dependsOn?.join(', ')}, which depends on it in turn or on others that do: break the circle`;
    broken.push({ server, message });
  }
  const levels: ServerToPlan[][] = [];
  for (const [server, depth] of depths) {
    while (levels.length <= depth) levels.push([]);
    levels[depth]?.push(server);
  }
  return { levels, broken };
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
  ledger: Ledger,
): Problem | undefined {
  for (const name of server.dependsOn ?? []) {
    const theirs = ledger.windowsOf(name)[index]?.slot;
    if (theirs && theirs.endMillis > slot.startMillis) {
      const message = `${slot.words} is before the end of the window of ${name}, on which it depends (${theirs.words}): set a later date`;
      return { code: 'dependency-broken', message };
    }
  }
  return undefined;
}

/** Who depends on a server, by its lower-case name. */
export function dependentsOf(servers: readonly ServerToPlan[]): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const { name, dependsOn = [] } of servers) {
    for (const other of dependsOn) {
      const key = other.toLowerCase();
      dependents.set(key, [...(dependents.get(key) ?? []), name]);
    }
  }
  return dependents;
}

/** Why a window comes too late for servers that depend on this one and have theirs already. */
export function whyTooLate(
  dependents: readonly string[] | undefined,
  slot: Slot,
  index: number,
  ledger: Ledger,
): Problem | undefined {
  for (const name of dependents ?? []) {
    const theirs = ledger.windowsOf(name)[index]?.slot;
    if (theirs && slot.endMillis > theirs.startMillis) {
      const message = `${slot.words} ends after the window of ${name} begins, which depends on it (${theirs.words})`;
      return { code: 'dependency-broken', message };
    }
  }
  return undefined;
}
