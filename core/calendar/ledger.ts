/** Owns what has been placed so far: who has which windows, how full they are, and which HA groups they occupy. */
import type { Conflict, ConflictCode, Lane, PlannedCampaign, PlannedWindow } from './quarter-plan.ts';
import type { ServerToPlan } from './server-to-plan.ts';
import type { Slot } from './slots.ts';

interface Occupied {
  readonly start: number;
  readonly end: number;
  readonly server: string;
  readonly lane: Lane | undefined;
}

type Placed = Map<ServerToPlan, { slots: Slot[]; windows: PlannedWindow[] }>;

export interface Ledger {
  readonly conflicts: Conflict[];
  refuse(server: ServerToPlan, code: ConflictCode, message: string): void;
  isRefused(server: ServerToPlan): boolean;
  add(server: ServerToPlan, slot: Slot, zone: string, reason: string): void;
  /** Without those of the security lane, in the order in which they were added. */
  windowsOf(server: ServerToPlan): readonly Slot[];
  securityOf(server: ServerToPlan): readonly Slot[];
  /** Servers that have the window already, of whichever lane. */
  countOf(slot: Slot): number;
  /** The member of an HA group whose window overlaps, and the group. */
  clash(server: ServerToPlan, slot: Slot): { readonly group: string; readonly server: string } | undefined;
  /** Takes the windows back, but for those of the security lane: only what is whole stays. */
  drop(server: ServerToPlan): void;
  /** @param servers by name: in their order stand the windows that begin at the same time */
  all(servers: readonly ServerToPlan[]): { windows: PlannedWindow[]; campaigns: PlannedCampaign[] };
}

/** @param groupsOf names of the HA groups of a server */
export function createLedger(groupsOf: (server: ServerToPlan) => readonly string[]): Ledger {
  const placed: Placed = new Map();
  const security: Placed = new Map();
  const counts = new Map<string, number>();
  const seats = new Map<string, number>();
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
      const { start, end, localStart, campaign, lane } = slot;
      const window = { server: server.name, start, end, zone, localStart, campaign, reason };
      const all = lane ? security : placed;
      const own = all.get(server);
      if (own) {
        own.slots.push(slot);
        own.windows.push(window);
      } else all.set(server, { slots: [slot], windows: [window] });
      count(counts, campaign, 1);
      count(seats, slot.seats, 1);
      for (const group of groupsOf(server)) {
        const spans = occupied.get(group) ?? [];
        spans.push({ start: slot.startMillis, end: slot.endMillis, server: server.name, lane });
        occupied.set(group, spans);
      }
    },
    windowsOf: (server) => placed.get(server)?.slots ?? none,
    securityOf: (server) => security.get(server)?.slots ?? none,
    countOf: (slot) => seats.get(slot.seats) ?? 0,
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
      for (const slot of own?.slots ?? []) {
        count(counts, slot.campaign, -1);
        count(seats, slot.seats, -1);
      }
      const stays = (span: Occupied) => span.server !== server.name || span.lane !== undefined;
      for (const group of own ? groupsOf(server) : []) {
        occupied.set(group, occupied.get(group)?.filter(stays) ?? []);
      }
    },
    all(servers) {
      // By start, in each by server: sorting a few hundred starts is much cheaper than sorting all windows.
      const byStart = new Map<string, PlannedWindow[]>();
      const campaigns = new Map<string, PlannedCampaign>();
      const list = (own: { slots: Slot[]; windows: PlannedWindow[] } | undefined) => {
        for (let index = 0; own && index < own.windows.length; index++) {
          const window = own.windows[index] as PlannedWindow;
          const { start, end, zone, campaign } = window;
          const same = byStart.get(start);
          if (same) same.push(window);
          else byStart.set(start, [window]);
          if (campaigns.has(campaign)) continue;
          const { policy, lane } = own.slots[index] as Slot;
          const count = counts.get(campaign) as number;
          const shared = { id: campaign, policy, start, end, zone, servers: count };
          campaigns.set(campaign, lane ? { ...shared, lane } : shared);
        }
      };
      for (const server of servers) {
        list(placed.get(server));
        list(security.get(server));
      }
      return {
        windows: [...byStart].sort(([a], [b]) => compare(a, b)).flatMap(([, same]) => same),
        campaigns: [...campaigns.values()].sort((a, b) => compare(a.start, b.start) || compare(a.id, b.id)),
      };
    },
  };
}

function count(numbers: Map<string, number>, key: string, by: number): void {
  numbers.set(key, (numbers.get(key) ?? 0) + by);
}

/** By code units: the same on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
