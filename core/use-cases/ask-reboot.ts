/** Asks for a reboot of a server that a person names: by the policy of its environment, as a member of its HA groups. */
import type * as z from 'zod';
import { withHaGroups } from '../calendar/campaign-server.ts';
import { Refused } from '../calls.ts';
import type { Instant } from '../instant.ts';
import type { Policy } from '../policy.ts';
import type { Ports } from '../ports.ts';
import type { Reboot } from '../reboot.ts';
import type { Server } from '../server.ts';
import type { Settings } from '../settings.ts';
import { type askedRebootInput, requestReboot, windowOf } from './request-reboot.ts';
import { loadInventory } from './stored-inventory.ts';

/**
 * @param server as its tags say it is: of its HA groups the inventory and the configuration know more
 * @throws Refused as `requestReboot` does, and `no-policy`
 */
export async function askReboot(
  ports: Pick<Ports, 'records' | 'objects'>,
  settings: Settings,
  server: Server,
  { mode, reason, by, start, minutes }: z.output<typeof askedRebootInput>,
  now: Instant,
): Promise<Reboot> {
  const policy = policyOf(settings, server);
  const window = windowOf(policy, server.zone, { start, minutes }, now);
  const { hybridRoleId } = settings;
  const { servers: inventory } = await loadInventory(ports);
  const [member = server] = withHaGroups([server], inventory, settings.calendar.haGroups);
  const wanted = { server: member, policy, mode, reason, by, window, ...(hybridRoleId && { hybridRoleId }) };
  return requestReboot(ports, wanted, now);
}

function policyOf({ policies }: Settings, { name, environment }: Server): Policy {
  const policy = policies[environment];
  if (policy === undefined)
    throw new Refused('no-policy', `${name} is of environment ${environment}, for which there is no policy`);
  return policy;
}
