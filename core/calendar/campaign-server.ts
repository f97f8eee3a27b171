/** Owns how a server of the inventory becomes one of a campaign, and why some can not. */
import { familyOf } from '../family.ts';
import type { StoredServer } from '../inventory/stored-server.ts';
import { type Place, placeKey, type Server, serverSchema } from '../server.ts';
import { haGroupNames, haGroupsOf } from './ha-groups.ts';

/** A server that is planned and can not be patched, and what to mend. */
export interface LeftOut {
  readonly server: string;
  readonly why: string;
}

export interface ServersOfCampaigns {
  /** @param environment the policy's, by whatever short form the inventory calls it */
  of(server: StoredServer, environment: string): Server | LeftOut;
}

/**
 * @param places that we may look at; where there is one alone, a server need not say that it is there
 * @param haGroups names of servers by group, besides those that servers name themselves
 */
export function serversOfCampaigns(
  inventory: readonly StoredServer[],
  places: readonly Place[],
  haGroups: Readonly<Record<string, readonly string[]>>,
): ServersOfCampaigns {
  const groups = haGroupsOf(inventory, haGroups);
  const known = new Set(places.map(placeKey));
  const only = places.length === 1 ? places[0] : undefined;
  return {
    of(server, environment) {
      const { name, instanceId, operatingSystem = '', zone, hostGroup, owners } = server;
      const leftOut = (why: string): LeftOut => ({ server: name, why });
      if (instanceId === undefined) {
        return leftOut('has no instance id: let the inventory be synced, or import it with Instance Id');
      }
      const account = server.account ?? only?.account;
      const region = server.region ?? only?.region;
      if (account === undefined || region === undefined) {
        return leftOut('has no account and Region: let the inventory be synced, or import it with both');
      }
      const place = { account, region };
      if (!known.has(placeKey(place))) {
        return leftOut(`is in ${account}/${region}, which is none of the places of the configuration`);
      }
      const family = familyOf(operatingSystem);
      if (family === undefined) {
        return leftOut(
          `has the operating system ${JSON.stringify(operatingSystem)}, which is of no known family`,
        );
      }
      const haGroupsOfServer = groups.of(server);
      const parsed = serverSchema.safeParse({
        schema: 1,
        id: instanceId,
        name,
        place,
        family,
        environment,
        owner: owners.primary ?? owners.secondary ?? 'unknown',
        zone,
        ...(hostGroup !== undefined && { hostGroup }),
        ...(server.metal && { metal: true }),
        ...(haGroupsOfServer.length > 0 && { haGroups: [...haGroupsOfServer] }),
      });
      if (parsed.success) return parsed.data;
      const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
      return leftOut(`its ${path.join('.')} ${message}`);
    },
  };
}

/**
 * Servers that somebody names by hand, with the HA groups that the inventory, the configuration and their own tags put
 * them into: who is not in the inventory may be in a group all the same.
 */
export function withHaGroups(
  servers: readonly Server[],
  inventory: readonly StoredServer[],
  haGroups: Readonly<Record<string, readonly string[]>>,
): Server[] {
  const { of } = haGroupsOf(inventory, haGroups);
  const rows = new Map(inventory.map((row) => [row.name.toLowerCase(), row]));
  const byId = new Map(inventory.flatMap((row) => (row.instanceId ? [[row.instanceId, row] as const] : [])));
  const listed = (name: string) =>
    Object.entries(haGroups).flatMap(([group, names]) =>
      names.some((other) => other.toLowerCase() === name) ? [group] : [],
    );
  return servers.map((server) => {
    const name = server.name.toLowerCase();
    const known = [byId.get(server.id), rows.get(name)].flatMap((row) => (row ? of(row) : []));
    const tagged = Object.entries(server.tags).flatMap(([key, value]) =>
      isHaTag(key) ? haGroupNames(value) : [],
    );
    const all = [...new Set([...(server.haGroups ?? []), ...known, ...listed(name), ...tagged])];
    return all.length > 0 ? { ...server, haGroups: all } : server;
  });
}

/** As a sync reads it: in any case, with or without spaces, dashes and underscores. */
const isHaTag = (key: string): boolean => key.toLowerCase().replaceAll(/[\s_-]/g, '') === 'hagroup';
