/** Owns the facts of a server that both people and AWS may know, taken out of the inventory's server and put back. */
import type { InventoryServer } from './inventory-server.ts';
import type { Facts } from './sync-servers.ts';
import { yesOrNo } from './yes-or-no.ts';

type WithFacts = Pick<
  InventoryServer,
  'environment' | 'zone' | 'hostGroup' | 'haGroup' | 'operatingSystem' | 'location' | 'owners' | 'metal'
>;

export function factsOf(server: WithFacts): Facts {
  const { environment, zone, hostGroup, haGroup, operatingSystem, location, owners, metal } = server;
  return {
    environment,
    zone,
    ...(hostGroup !== undefined && { hostGroup }),
    ...(haGroup !== undefined && { haGroup }),
    ...(operatingSystem !== undefined && { operatingSystem }),
    ...(location !== undefined && { location }),
    ...(owners.primary !== undefined && { primaryOwner: owners.primary }),
    ...(owners.secondary !== undefined && { secondaryOwner: owners.secondary }),
    ...(metal !== undefined && { metal: metal ? 'yes' : 'no' }),
  };
}

/** The server with these facts and no others; environment and zone stay where the facts say nothing of them. */
export function withFacts<T extends WithFacts>(server: T, facts: Facts): T {
  const { hostGroup: _, haGroup: _ha, operatingSystem: _os, location: _at, metal: _metal, ...rest } = server;
  const { primaryOwner, secondaryOwner, metal, ...own } = facts;
  return {
    ...rest,
    ...own,
    ...(metal !== undefined && { metal: yesOrNo(metal) === 'yes' }),
    owners: {
      ...(primaryOwner !== undefined && { primary: primaryOwner }),
      ...(secondaryOwner !== undefined && { secondary: secondaryOwner }),
    },
  } as T;
}
