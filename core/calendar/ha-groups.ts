/** Owns who belongs to which HA group: by the server's own word, or by a list of names. */
import type { ServerToPlan } from './server-to-plan.ts';

const none: readonly string[] = [];

/** @param listed names of servers by group */
export function haGroupsOf(
  servers: readonly ServerToPlan[],
  listed: Readonly<Record<string, readonly string[]>>,
): {
  of(server: ServerToPlan): readonly string[];
  /** Names in a list that are no server: a slip there would leave a group without its protection. */
  readonly unknown: readonly { readonly name: string; readonly message: string }[];
} {
  const nameOf = namesOf([
    ...Object.keys(listed),
    ...servers.flatMap(({ haGroup }) => haGroupNames(haGroup)),
  ]);
  const byServer = new Map<string, string[]>();
  for (const [written, names] of Object.entries(listed)) {
    const group = nameOf(written);
    for (const name of names) {
      const key = name.toLowerCase();
      byServer.set(key, [...(byServer.get(key) ?? []), group]);
    }
  }
  const missing = new Map(byServer);
  const groups = new Map<ServerToPlan, readonly string[]>();
  for (const server of servers) {
    const own = haGroupNames(server.haGroup).map(nameOf);
    const key = byServer.size > 0 ? server.name.toLowerCase() : '';
    missing.delete(key);
    const listedIn = byServer.get(key) ?? none;
    if (own.length + listedIn.length > 0) groups.set(server, [...new Set([...listedIn, ...own])]);
  }
  return {
    of: (server) => groups.get(server) ?? none,
    unknown: [...missing].map(([name, names]) => ({
      name,
      message: `is in HA group ${names.join(', ')} and not among the servers: correct the name`,
    })),
  };
}

/** The groups that a cell or a tag names: more than one with semicolons or commas between them, as in `Depends On`. */
export function haGroupNames(text: string | undefined): readonly string[] {
  if (!text) return none;
  return text
    .split(/[;,]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Letters in any case are one group, as at the gate before a patch; it has the first of its spellings by code units. */
function namesOf(written: readonly string[]): (group: string) => string {
  const names = new Map<string, string>();
  for (const group of written) {
    const key = group.toLowerCase();
    const known = names.get(key);
    if (known === undefined || group < known) names.set(key, group);
  }
  return (group) => names.get(group.toLowerCase()) ?? group;
}
