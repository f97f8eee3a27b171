/** Owns servers and stores for the tests of what is stored: an inventory, schedules, and the default calendar. */
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import type { StoredServer } from '../../core/inventory/stored-server.ts';

export function storedServer(name: string, more: Partial<StoredServer> = {}): StoredServer {
  return {
    name,
    environment: 'production',
    zone: 'Europe/Berlin',
    active: true,
    explicit: {},
    history: [],
    owners: {},
    extra: {},
    bySync: [],
    ...more,
  };
}

export const memoryStores = () => ({
  records: createMemoryRecords(),
  objects: createMemoryObjects('bucket', 'eu-central-1'),
});
