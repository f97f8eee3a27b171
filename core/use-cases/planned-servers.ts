/** Owns which servers a planned campaign is started with: those of its plan, as the inventory knows them now. */
import { type LeftOut, serversOfCampaigns } from '../calendar/campaign-server.ts';
import type { PlannedWindow } from '../calendar/quarter-plan.ts';
import { parseRecord, scheduleKey, schedules } from '../entities.ts';
import type { Firing } from '../firing.ts';
import type { Ports } from '../ports.ts';
import type { Server } from '../server.ts';
import type { Settings } from '../settings.ts';
import { loadWindows } from './firings.ts';
import { loadInventory } from './stored-inventory.ts';

export interface PlannedServers {
  /** Of the servers that are in the campaign. */
  readonly windows: readonly PlannedWindow[];
  readonly servers: Server[];
  readonly leftOut: readonly LeftOut[];
}

/** What the plan knew may be a day old: who was switched off or given another date since then is not patched. */
export async function plannedServers(
  ports: Pick<Ports, 'records' | 'objects'>,
  settings: Settings,
  firing: Firing,
): Promise<PlannedServers> {
  const planned = await loadWindows(ports.objects, firing);
  const inventory = await loadInventory(ports);
  const known = new Map(inventory.servers.map((server) => [server.name.toLowerCase(), server]));
  const rules = await ports.records.getMany(planned.map(({ server }) => scheduleKey(server)));
  const make = serversOfCampaigns(inventory.servers, settings.places, settings.calendar.haGroups);
  const byId = new Map<string, Server>();
  const windows: PlannedWindow[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, window] of planned.entries()) {
    const { server: name } = window;
    const stored = known.get(name.toLowerCase());
    const rule = rules[index] && parseRecord(schedules, rules[index]);
    const changedAt = rule && (rule.removed?.at ?? rule.at);
    const made = (): Server | LeftOut => {
      if (stored === undefined) return { server: name, why: 'is no longer in the inventory' };
      if (!stored.active) return { server: name, why: 'is not active any more' };
      if (changedAt !== undefined && changedAt > firing.plannedAt) {
        return { server: name, why: `had its schedule changed at ${changedAt}, after this was planned` };
      }
      return make.of(stored, firing.policy);
    };
    const server = made();
    const other = 'id' in server ? byId.get(server.id) : undefined;
    if ('why' in server) leftOut.push(server);
    else if (other) leftOut.push({ server: name, why: `has the instance id of ${other.name}, ${server.id}` });
    else {
      byId.set(server.id, server);
      windows.push(window);
    }
  }
  return { windows, servers: [...byId.values()], leftOut };
}
