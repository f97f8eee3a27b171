/** Owns what has been placed so far: who has which windows, how full they are, and which HA groups they occupy. */
import type { Conflict, ConflictCode, PlannedCampaign, PlannedWindow } from './quarter-plan.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Slot } from './slots.ts';

interface Occupied {
  readonly start: number;
  readonly end: number;
  readonly server: string;
}

export interface Ledger {
  readonly conflicts: Conflict[];
  refuse(server: ServerToPlan, code: ConflictCode, message: string): void;
  isRefused(server: ServerToPlan): boolean;
  add(server: ServerToPlan, slot: Slot, zone: string, reason: string): void;
  windowsOf(server: ServerToPlan): readonly Slot[];
  /** Servers that have the window already. */
  countOf(campaign: string): number;
  /** The member of an HA group whose window overlaps, and the group. */
  clash(server: ServerToPlan, slot: Slot): { readonly group: string; readonly server: string } | undefined;
  /** Takes the windows back: only what is whole stays. */
  drop(server: ServerToPlan): void;
  /** @param servers by name: in their order stand the windows that begin at the same time */
  all(servers: readonly ServerToPlan[]): { windows: PlannedWindow[]; campaigns: PlannedCampaign[] };
}

/** @param groupsOf names of the HA groups of a server */
export function createLedger(groupsOf: (server: ServerToPlan) => readonly string[]): Ledger {
  const placed = new Map<ServerToPlan, { slots: Slot[]; windows: PlannedWindow[] }>();
  const counts = new Map<string, number>();
  const occupied = new Map<string, Occupied[]>();
  const refused = new Set<ServerToPlan>();
  const none: readonly Slot[] = [];
  const conflicts: Conflict[] = [];

  return {
    conflicts,
    refuse(server, code, message) {
      refused.add(server);
      conflicts.push({ server: server.name, code, message });
    },
    isRefused: (server) => refused.has(server),
    add(server, slot, zone, reason) {
      const { start, end, localStart, campaign } = slot;
      const window = { server: server.name, start, end, zone, localStart, campaign, reason };
      const own = placed.get(server);
      if (own) {
        own.slots.push(slot);
        own.windows.push(window);
      } else placed.set(server, { slots: [slot], windows: [window] });
      counts.set(slot.campaign, (counts.get(slot.campaign) ?? 0) + 1);
      for (const group of groupsOf(server)) {
        const spans = occupied.get(group) ?? [];
        spans.push({ start: slot.startMillis, end: slot.endMillis, server: server.name });
        occupied.set(group, spans);
      }
    },
    windowsOf: (server) => placed.get(server)?.slots ?? none,
    countOf: (campaign) => counts.get(campaign) ?? 0,
    clash(server, slot) {
      for (const group of groupsOf(server)) {
        const other = occupied
          .get(group)
          ?.find(
            (span) =>
              span.server !== server.name && span.start < slot.endMillis && slot.startMillis < span.end,
          );
        if (other) return { group, server: other.server };
      }
      return undefined;
    },
    drop(server) {
      const own = placed.get(server);
      placed.delete(server);
      for (const { campaign } of own?.slots ?? []) {
        counts.set(campaign, (counts.get(campaign) ?? 1) - 1);
      }
      for (const group of own ? groupsOf(server) : []) {
        occupied.set(group, occupied.get(group)?.filter((span) => span.server !== server.name) ?? []);
      }
    },
    all(servers) {
      // By start, in each by server: sorting a few hundred starts is much cheaper than sorting all windows.
      const byStart = new Map<string, PlannedWindow[]>();
      const campaigns = new Map<string, PlannedCampaign>();
      for (const server of servers) {
        const own = placed.get(server);
        if (own === undefined) continue;
        for (const [index, window] of own.windows.entries()) {
          const { start, end, zone, campaign } = window;
          const same = byStart.get(start);
          if (same) same.push(window);
          else byStart.set(start, [window]);
          if (!campaigns.has(campaign)) {
            const { policy } = own.slots[index] as Slot;
            const count = counts.get(campaign) as number;
            campaigns.set(campaign, { id: campaign, policy, start, end, zone, servers: count });
          }
        }
      }
      return {
        windows: [...byStart].sort(([a], [b]) => compare(a, b)).flatMap(([, same]) => same),
        campaigns: [...campaigns.values()].sort((a, b) => compare(a.start, b.start) || compare(a.id, b.id)),
      };
    },
  };
}

/** By code units: the same on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
