import { describe, expect, test } from 'vitest';
import { serversOfCampaigns, withHaGroups } from '../../../core/calendar/campaign-server.ts';
import type { StoredServer } from '../../../core/inventory/stored-server.ts';
import { storedServer } from '../../support/planned-fleet.ts';
import { dublin, frankfurt, serverId, serverOf } from '../../support/samples.ts';

const without = (key: keyof StoredServer, changes: Partial<StoredServer> = {}): StoredServer => {
  const { [key]: _, ...rest } = storedServer(1, changes);
  return rest as StoredServer;
};
const made = (server: StoredServer, places = [frankfurt], haGroups = {}) =>
  serversOfCampaigns([server], places, haGroups).of(server, 'production');

describe('a server of the inventory', () => {
  test('is one of a campaign with all that is known of it', () => {
    const server = storedServer(1, { environment: 'prod', hostGroup: 'web', haGroup: 'front; back' });
    expect(made(server, [frankfurt], { orders: ['WEB-1', 'web-2'] })).toEqual({
      schema: 1,
      id: serverId(1),
      name: 'web-1',
      place: frankfurt,
      family: 'debian',
      environment: 'production',
      owner: 'web team',
      zone: 'Europe/Berlin',
      hostGroup: 'web',
      haGroups: ['orders', 'front', 'back'],
      tags: {},
    });
  });

  test('is bare metal when the inventory says so', () => {
    expect(made(storedServer(1, { metal: true }))).toMatchObject({ metal: true });
    expect(made(storedServer(1, { metal: false }))).not.toHaveProperty('metal');
  });

  test('is in the one place that there is when it does not say where it is', () => {
    expect(made(without('region'))).toMatchObject({ place: frankfurt });
    expect(made(without('region'), [frankfurt, dublin])).toMatchObject({
      why: expect.stringContaining('no account and Region'),
    });
  });

  test.each([
    ['has no instance id', without('instanceId')],
    ['is in 222222222222/eu-west-1, which is none of the places', storedServer(1, dublin)],
    ['has the operating system "", which is of no known family', without('operatingSystem')],
    ['its id is not an instance id', storedServer(1, { instanceId: 'web-1' })],
  ])('can not be patched when it %s', (why, server) => {
    expect(made(server)).toEqual({ server: 'web-1', why: expect.stringContaining(why) });
  });
});

describe('servers that are named by hand', () => {
  const inventory = [
    storedServer(1, { haGroup: 'front' }),
    storedServer(2, { name: 'other', haGroup: 'by id' }),
  ];
  test('are in the groups of the inventory, of the configuration and of their tags', () => {
    const servers = [
      serverOf(1, { id: serverId(7) }),
      serverOf(2),
      serverOf(3, { tags: { 'HA Group': 'tagged ; twice' } }),
      serverOf(4),
    ];
    const grouped = withHaGroups(servers, inventory, { listed: ['WEB-3', 'web-9'] });
    expect(grouped.map(({ haGroups }) => haGroups)).toEqual([
      ['front'],
      ['by id'],
      ['listed', 'tagged', 'twice'],
      undefined,
    ]);
    expect(grouped[3]).toBe(servers[3]);
  });
});
