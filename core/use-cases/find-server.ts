/** Finds a server of the inventory by its name. */
import { Refused } from '../calls.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { nearMatches } from '../near-match.ts';

/** Comparing with names takes a microsecond each; a fleet of any size still answers at once. */
const compared = 20_000;

/**
 * @param name in any case
 * @throws Refused
 */
export function findServer(servers: readonly StoredServer[], name: string): StoredServer {
  const lower = name.toLowerCase();
  const found = servers.find((server) => server.name.toLowerCase() === lower);
  if (found) return found;
  const names = servers.slice(0, compared).map((server) => server.name.toLowerCase());
  const near = nearMatches(lower, names, 1 / 3).slice(0, 3);
  const mend = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'import it, or correct the name';
  throw new Refused('unknown-server', `no server ${JSON.stringify(name)} is in the inventory: ${mend}`);
}
