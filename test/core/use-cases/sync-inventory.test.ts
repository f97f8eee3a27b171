import { describe, expect, test } from 'vitest';
import type { AwsNode } from '../../../core/inventory/seen-server.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { type NodesIn, syncInventory } from '../../../core/use-cases/sync-inventory.ts';
import { memoryStores, storedServer } from '../../support/stored-fleet.ts';

const now = '2026-12-01T12:00:00.000Z';
const here = { account: '111111111111', region: 'eu-central-1' };
const there = { account: '222222222222', region: 'eu-west-1' };
const serverTags = { environment: 'stage', owner: 'team', timeZone: 'tz', hostGroup: 'group' };
const id = 'i-0123456789abcdef0';

const node = (tags: Record<string, string>, over: Partial<AwsNode> = {}): AwsNode => ({
  instanceId: id,
  ...here,
  tags,
  ...over,
});

async function world(nodesIn: NodesIn, ...servers: ReturnType<typeof storedServer>[]) {
  const ports = memoryStores();
  await saveInventory(ports, servers, { by: 'anna', now, expected: 0 });
  const sync = (over: Partial<typeof ports> = {}) =>
    syncInventory({ ...ports, ...over }, { places: [here, there], serverTags }, nodesIn, now);
  return { ports, sync, stored: async () => (await loadInventory(ports)).servers };
}

describe('a sync', () => {
  test('fills in what nobody set, by the tags of the settings first', async () => {
    const tags = { Name: 'web-1', group: 'shop', 'Host Group': 'other', team: 'ana', tz: 'Asia/Calcutta' };
    const { sync, stored } = await world(
      async ({ account }) =>
        account === here.account ? [node(tags, { platformName: 'Debian', platformVersion: '13' })] : [],
      storedServer('web-1', { explicit: { Q1: { date: '2027-01-09' } }, extra: { Rack: '7' } }),
    );
    const report = await sync();
    expect(report).toMatchObject({
      saved: true,
      servers: 1,
      differences: [{ field: 'zone', set: 'Europe/Berlin', seen: 'Asia/Kolkata' }],
    });
    expect(await stored()).toEqual([
      storedServer('web-1', {
        explicit: { Q1: { date: '2027-01-09' } },
        extra: { Rack: '7' },
        ...here,
        instanceId: id,
        hostGroup: 'shop',
        operatingSystem: 'Debian 13',
        owners: { primary: 'ana' },
        bySync: ['hostGroup', 'operatingSystem', 'primaryOwner'],
      }),
    ]);
  });

  test('that brings nothing new writes nothing', async () => {
    const { ports, sync } = await world(async () => [], storedServer('web-1'));
    expect(await sync()).toMatchObject({ saved: false, changes: [] });
    expect((await loadInventory(ports)).revision).toBe(1);
  });

  test('of a place that can not be read leaves its servers, and says so', async () => {
    const { sync } = await world(
      async ({ account }) => {
        if (account === there.account) throw new Error('no role there');
        return [];
      },
      storedServer('far', { ...there, instanceId: id }),
      storedServer('near', { ...here, instanceId: 'i-0123456789abcdef1' }),
    );
    expect(await sync()).toMatchObject({
      missing: ['near'],
      unread: [{ place: '222222222222/eu-west-1', why: 'no role there' }],
    });
  });

  test('of no place at all is a failure', async () => {
    const { sync } = await world(() => Promise.reject(new Error('no role')), storedServer('web-1'));
    await expect(sync()).rejects.toThrow('no place could be read: 111111111111/eu-central-1: no role');
  });

  test('takes an import that came meanwhile, and begins again', async () => {
    const { ports, sync, stored } = await world(
      async ({ account }) => (account === here.account ? [node({ Name: 'web-1', team: 'ana' })] : []),
      storedServer('web-1'),
    );
    let imported = false;
    const raced = {
      ...ports.records,
      async replace(...args: Parameters<typeof ports.records.replace>) {
        if (!imported) {
          imported = true;
          const servers = [storedServer('web-1', { owners: { primary: 'bo' } }), storedServer('web-2')];
          await saveInventory(ports, servers, { by: 'bob', now, expected: 1 });
        }
        return ports.records.replace(...args);
      },
    };
    expect(await sync({ records: raced })).toMatchObject({ saved: true, servers: 2 });
    expect(await stored()).toMatchObject([{ owners: { primary: 'bo' }, instanceId: id }, { name: 'web-2' }]);
  });

  test('tells of nodes that the inventory does not know', async () => {
    const { sync } = await world(
      async ({ account }) => (account === here.account ? [node({ Name: 'new' })] : []),
      storedServer('web-1'),
    );
    expect((await sync()).found).toMatchObject([{ name: 'new', instanceId: id }]);
  });
});
