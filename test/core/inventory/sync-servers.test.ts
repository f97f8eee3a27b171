import { describe, expect, test } from 'vitest';
import { type AwsNode, seenServer } from '../../../core/inventory/seen-server.ts';
import { type RecordedServer, type SeenServer, syncServers } from '../../../core/inventory/sync-servers.ts';

const place = { account: '123456789012', region: 'eu-central-1' };
const places = new Set(['123456789012/eu-central-1']);
const id = 'i-0123456789abcdef0';
const recorded = (over: Partial<RecordedServer> = {}): RecordedServer => ({
  name: 'web-01',
  instanceId: id,
  ...place,
  facts: {},
  bySync: [],
  ...over,
});
const seen = (over: Partial<SeenServer> = {}): SeenServer => ({
  instanceId: id,
  ...place,
  facts: {},
  ...over,
});

describe('synchronisation with AWS', () => {
  test('fills in what nobody set, and says so', () => {
    const { servers, changes, differences } = syncServers(
      [recorded()],
      [seen({ facts: { zone: 'asia/calcutta', environment: 'Pre_Prod' } })],
      places,
    );
    expect(servers[0]).toMatchObject({
      facts: { zone: 'Asia/Kolkata', environment: 'pre-prod' },
      bySync: ['environment', 'zone'],
    });
    expect(changes).toEqual([
      { server: 'web-01', field: 'environment', to: 'pre-prod' },
      { server: 'web-01', field: 'zone', to: 'Asia/Kolkata' },
    ]);
    expect(differences).toEqual([]);
  });

  test('keeps what a person set, and says where AWS differs', () => {
    const server = recorded({ facts: { zone: 'Europe/Berlin', primaryOwner: 'ana' } });
    const result = syncServers([server], [seen({ facts: { zone: 'UTC', primaryOwner: 'bo' } })], places);
    expect(result.servers).toEqual([server]);
    expect(result.changes).toEqual([]);
    expect(result.differences).toEqual([
      { server: 'web-01', field: 'zone', set: 'Europe/Berlin', seen: 'UTC' },
      { server: 'web-01', field: 'primaryOwner', set: 'ana', seen: 'bo' },
    ]);
  });

  test('follows what only a sync wrote, and says from what to what', () => {
    const server = recorded({ facts: { operatingSystem: 'Debian 12' }, bySync: ['operatingSystem'] });
    const result = syncServers([server], [seen({ facts: { operatingSystem: 'Debian 13' } })], places);
    expect(result.servers[0]?.facts).toEqual({ operatingSystem: 'Debian 13' });
    expect(result.changes).toEqual([
      { server: 'web-01', field: 'operatingSystem', from: 'Debian 12', to: 'Debian 13' },
    ]);
  });

  test('takes no silence of AWS for an order to forget', () => {
    const server = recorded({ facts: { hostGroup: 'shop' }, bySync: ['hostGroup'] });
    expect(syncServers([server], [seen({ facts: { hostGroup: ' ' } })], places)).toMatchObject({
      servers: [server],
      changes: [],
    });
  });

  test('once done, has nothing more to say', () => {
    const nodes = [seen({ facts: { zone: 'Asia/Calcutta', location: 'Pune' } })];
    const { servers } = syncServers([recorded()], nodes, places);
    expect(syncServers(servers, nodes, places)).toMatchObject({ servers, changes: [], differences: [] });
  });

  test('says that the time zone of a tag is none, and keeps what was', () => {
    const result = syncServers([recorded()], [seen({ facts: { zone: '+02:00' } })], places);
    expect(result.problems).toMatchObject([{ message: expect.stringContaining('is an offset') }]);
    expect(result.servers[0]?.facts).toEqual({});
  });

  test('finds a server without instance id by its name, if the name is clear', () => {
    const server = { name: 'Web-01', facts: {}, bySync: [] };
    const node = seen({ name: 'web-01' });
    const { servers, changes } = syncServers([server], [node], places);
    expect(servers[0]).toMatchObject({ instanceId: id, ...place });
    expect(changes.map(({ field }) => field)).toEqual(['instanceId', 'account', 'region']);
    const twin = seen({ name: 'web-01', instanceId: 'i-0123456789abcdef1' });
    const unclear = syncServers([server], [node, twin], places);
    expect(unclear.problems).toMatchObject([{ message: expect.stringContaining('write the instance id') }]);
    expect(unclear.servers).toEqual([server]);
    expect(syncServers([server, recorded({ name: 'other' })], [node, twin], places).servers[0]).toMatchObject(
      {
        instanceId: 'i-0123456789abcdef1',
      },
    );
  });

  test('a server that was not seen is missing only where all was asked, and stays as it is', () => {
    const elsewhere = recorded({ name: 'far', instanceId: 'i-0123456789abcdef2', region: 'us-east-1' });
    const result = syncServers([recorded(), elsewhere], [], places);
    expect(result.missing).toEqual(['web-01']);
    expect(result.servers).toEqual([recorded(), elsewhere]);
  });

  test('says what is bare metal, and nothing of what is none', () => {
    const sync = (server: RecordedServer, metal: string) =>
      syncServers([server], [seen({ facts: { metal } })], places);
    expect(sync(recorded(), 'no')).toMatchObject({ changes: [], servers: [{ facts: {} }] });
    const found = sync(recorded(), 'TRUE').servers[0] as RecordedServer;
    expect(found).toMatchObject({ facts: { metal: 'yes' }, bySync: ['metal'] });
    // Started again as another type.
    expect(sync(found, 'no').changes).toEqual([{ server: 'web-01', field: 'metal', from: 'yes', to: 'no' }]);
    expect(sync(recorded({ facts: { metal: 'yes' } }), 'no').differences).toMatchObject([
      { field: 'metal', set: 'yes', seen: 'no' },
    ]);
    expect(sync(recorded(), 'perhaps').problems).toMatchObject([
      { message: 'its tag Metal in AWS: "perhaps" is neither yes nor no' },
    ]);
  });

  test('a node that nobody recorded is found and not added', () => {
    const node = seen({ name: 'new' });
    expect(syncServers([], [node], places)).toMatchObject({ servers: [], found: [node] });
  });
});

describe('a node of AWS', () => {
  const node = (over: Partial<AwsNode>): AwsNode => ({ instanceId: id, ...place, tags: {}, ...over });

  test('speaks by its tags, however they are spelt', () => {
    const tags = { Name: 'web-01', Env: 'prod', 'Server Timezone': 'UTC', host_group: 'shop', OWNER: 'ana' };
    expect(seenServer(node({ tags, platformName: 'Debian GNU/Linux', platformVersion: '12' }))).toMatchObject(
      {
        name: 'web-01',
        facts: {
          environment: 'prod',
          zone: 'UTC',
          hostGroup: 'shop',
          primaryOwner: 'ana',
          operatingSystem: 'Debian GNU/Linux 12',
        },
      },
    );
  });

  test('is bare metal by the type of an instance, and by a tag where nobody knows a type', () => {
    const tags = { 'Bare-Metal': 'yes' };
    expect(seenServer(node({ tags })).facts).toEqual({ metal: 'yes' });
    expect(seenServer(node({ tags, metal: false })).facts).toEqual({ metal: 'no' });
    expect(seenServer(node({ metal: true })).facts).toEqual({ metal: 'yes' });
  });

  test('without a tag is named by its host, without the domain', () => {
    expect(seenServer(node({ computerName: 'ip-10-0-0-1.ec2.internal' }))).toEqual({
      ...place,
      instanceId: id,
      name: 'ip-10-0-0-1',
      facts: {},
    });
  });
});
