/** Owns a fleet that the calendar drives: an inventory, settings, schedules in memory, and a clock that a test moves. */
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import type { Firing } from '../../core/firing.ts';
import { type Instant, plusSeconds } from '../../core/instant.ts';
import type { StoredServer } from '../../core/inventory/stored-server.ts';
import type { Notice, OneTimeSchedule, OneTimeSchedules } from '../../core/ports.ts';
import { type Settings, settingsSchema } from '../../core/settings.ts';
import { checkFirings } from '../../core/use-cases/check-firings.ts';
import { listFirings } from '../../core/use-cases/firings.ts';
import { launchCampaign } from '../../core/use-cases/launch-campaign.ts';
import { type PlanPorts, reconcilePlan } from '../../core/use-cases/reconcile-plan.ts';
import { loadInventory, saveInventory } from '../../core/use-cases/stored-inventory.ts';
import { serverId } from './samples.ts';

/** A Monday; the next Saturday is 2026-11-28. */
const monday: Instant = '2026-11-23T09:00:00.000Z';

export interface PlannedFleet {
  readonly ports: PlanPorts;
  readonly settings: Settings;
  readonly schedules: ReadonlyMap<string, OneTimeSchedule>;
  readonly notices: Notice[];
  readonly started: string[];
  now(): Instant;
  sleepUntil(instant: Instant): void;
  sleep(seconds: number): void;
  /** Replaces the inventory. */
  inventory(servers: readonly StoredServer[]): Promise<void>;
  plan(announce?: boolean): ReturnType<typeof reconcilePlan>;
  launch(firing: Pick<Firing, 'campaignId' | 'quarter'>): ReturnType<typeof launchCampaign>;
  check(): ReturnType<typeof checkFirings>;
  /** Those of a quarter, by their moment. */
  firings(quarter?: string): Promise<Firing[]>;
}

/** Berlin, quarterly on weekends at midnight, a day's lead. */
export function storedServer(number: number, changes: Partial<StoredServer> = {}): StoredServer {
  return {
    name: `web-${number}`,
    environment: 'production',
    zone: 'Europe/Berlin',
    active: true,
    explicit: {},
    history: [],
    owners: { primary: 'web team' },
    operatingSystem: 'Debian 12',
    instanceId: serverId(number),
    account: '111111111111',
    region: 'eu-central-1',
    extra: {},
    bySync: [],
    ...changes,
  };
}

export function settingsOf(changes: Record<string, unknown> = {}): Settings {
  return settingsSchema.parse({
    schema: 1,
    policies: { production: { schema: 1, name: 'production', mode: 'all' } },
    places: [{ account: '111111111111', region: 'eu-central-1' }],
    serverTags: {},
    defaultTimeZone: 'UTC',
    ...changes,
  });
}

export async function plannedFleet(
  servers: readonly StoredServer[],
  settings: Settings = settingsOf(),
): Promise<PlannedFleet> {
  let now = monday;
  const notices: Notice[] = [];
  const started: string[] = [];
  const schedules = new Map<string, OneTimeSchedule>();
  const put = async (schedule: OneTimeSchedule) => {
    if (schedule.at <= now) throw new Error(`schedule ${schedule.name} is of the past: ${schedule.at}`);
    schedules.set(schedule.name, schedule);
  };
  const port: OneTimeSchedules = {
    list: async () => [...schedules.values()],
    create: put,
    update: put,
    delete: async (name) => void schedules.delete(name),
  };
  const ports: PlanPorts = {
    records: createMemoryRecords(),
    objects: createMemoryObjects('campaigns-111111111111', 'eu-central-1'),
    executions: { start: async (name) => void started.push(name) },
    notices: { send: async (notice) => void notices.push(notice) },
    schedules: port,
  };
  const fleet: PlannedFleet = {
    ports,
    settings,
    schedules,
    notices,
    started,
    now: () => now,
    sleepUntil(instant) {
      if (instant > now) now = instant;
    },
    sleep(seconds) {
      now = plusSeconds(now, seconds);
    },
    async inventory(all) {
      const { revision } = await loadInventory(ports);
      await saveInventory(ports, all, { by: 'ann', now, expected: revision });
    },
    plan: (announce = false) => reconcilePlan(ports, settings, { announce }, now),
    launch: ({ campaignId, quarter }) => launchCampaign(ports, settings, { campaignId, quarter }, now),
    check: () => checkFirings(ports, settings, now),
    firings: async (quarter = '2027-Q1') =>
      (await listFirings(ports.records, quarter)).toSorted((a, b) => (a.fireAt < b.fireAt ? -1 : 1)),
  };
  await fleet.inventory(servers);
  return fleet;
}
