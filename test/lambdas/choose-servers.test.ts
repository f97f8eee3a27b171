import { describe, expect, test } from 'vitest';
import { policySchema } from '../../core/policy.ts';
import type { Server } from '../../core/server.ts';
import { type Settings, settingsSchema } from '../../core/settings.ts';
import { findOptedInServers } from '../../lambdas/aws/opted-in-servers.ts';
import { chooseServers } from '../../lambdas/choose-servers.ts';
import { frankfurt, serverId } from '../support/samples.ts';

const ohio = { account: frankfurt.account, region: 'us-east-2' };
const policy = (name: string) => policySchema.parse({ schema: 1, name, mode: 'scan' });
const settings: Settings = settingsSchema.parse({
  schema: 1,
  policies: { production: policy('production'), test: policy('test') },
  places: [frankfurt, ohio],
  serverTags: {},
  defaultTimeZone: 'Europe/Berlin',
});
const optIn = { key: 'quarterdeck', value: 'enrolled' };

interface Sample {
  readonly id: string;
  readonly platform?: string;
  readonly tags: Record<string, string>;
  readonly state?: 'running' | 'terminated';
  readonly type?: 'm7i.large' | 'm7i.metal-24xl' | 'mac2.metal';
}

/** A place as EC2 and SSM tell of it: both only of what carries the tag that they are asked for. */
function found(samples: readonly Sample[]) {
  const carry = samples.filter(({ tags }) => tags[optIn.key] === optIn.value);
  const pairs = (tags: Sample['tags']) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const find = findOptedInServers({
    optIn,
    settings,
    callsIn: () => ({
      describeInstances: async ({ Filters }) => ({
        Reservations: [
          {
            Instances: (Filters?.[0]?.Name === `tag:${optIn.key}` ? carry : samples)
              .filter(({ id }) => id.startsWith('i-'))
              .map(({ id, tags, state = 'running', type = 'm7i.large' }) => ({
                InstanceId: id,
                InstanceType: type,
                State: { Name: state },
                Tags: pairs(tags),
              })),
          },
        ],
      }),
      describeInstanceInformation: async ({ Filters }) => ({
        InstanceInformationList: (Filters?.[0]?.Key === `tag:${optIn.key}` ? carry : samples)
          .filter(({ platform }) => platform !== undefined)
          .map(({ id, platform }) => ({
            InstanceId: id,
            PlatformName: platform,
            ComputerName: `${id}.local`,
          })),
      }),
      listTagsForResource: async ({ ResourceId }) => ({
        TagList: pairs(samples.find(({ id }) => id === ResourceId)?.tags ?? {}),
      }),
    }),
  });
  return find(frankfurt);
}

describe('servers that have opted in', () => {
  const enrolled = { quarterdeck: 'enrolled', environment: 'production' };
  const debian = 'Debian GNU/Linux';

  test('are what their tags and their agents say', async () => {
    const tags = { ...enrolled, Name: 'web-1', owner: 'web@example.com', 'time-zone': 'Asia/Tokyo' };
    const { servers } = await found([
      { id: serverId(1), platform: debian, tags },
      { id: `mi-${'a'.repeat(17)}`, platform: 'Ubuntu', tags: enrolled },
    ]);
    expect(servers).toMatchObject([
      { id: serverId(1), name: 'web-1', family: 'debian', zone: 'Asia/Tokyo', owner: 'web@example.com' },
      {
        id: `mi-${'a'.repeat(17)}`,
        name: `mi-${'a'.repeat(17)}.local`,
        zone: 'Europe/Berlin',
        owner: 'unknown',
      },
    ]);
  });

  test('are bare metal where their instance type says so', async () => {
    const { servers } = await found([
      { id: serverId(1), platform: debian, tags: enrolled },
      { id: serverId(2), platform: debian, tags: enrolled, type: 'm7i.metal-24xl' },
      { id: serverId(3), platform: debian, tags: enrolled, type: 'mac2.metal' },
    ]);
    expect(servers.map(({ metal }) => metal)).toEqual([undefined, true, true]);
  });

  test('are none of those without the tag, and none that are terminated', async () => {
    const { servers, leftOut } = await found([
      { id: serverId(1), platform: debian, tags: { environment: 'production' } },
      { id: serverId(2), platform: debian, tags: enrolled, state: 'terminated' },
    ]);
    expect({ servers, leftOut }).toEqual({ servers: [], leftOut: [] });
  });

  test('are named with the reason when they can not be patched', async () => {
    const { servers, leftOut } = await found([
      { id: serverId(1), tags: enrolled },
      { id: serverId(2), platform: 'Microsoft Windows Server', tags: enrolled },
      { id: serverId(3), platform: debian, tags: { quarterdeck: 'enrolled' } },
    ]);
    expect(servers).toEqual([]);
    expect(leftOut).toEqual([
      { id: serverId(1), why: 'no SSM agent has reported from it' },
      { id: serverId(2), why: 'its platform is Microsoft Windows Server' },
      { id: serverId(3), why: expect.stringMatching(/^its environment, from its tags, /) },
    ]);
  });
});

describe('the servers of a campaign', () => {
  const server = (id: string, environment: string, place = frankfurt): Server => ({
    schema: 1,
    id,
    name: id,
    place,
    family: 'debian',
    environment,
    owner: 'owner@example.com',
    zone: 'UTC',
    tags: {},
  });
  const everywhere = async (_: Settings, place: typeof frankfurt) => ({
    servers: [
      server(serverId(place.region === 'us-east-2' ? 1 : 3), 'production', place),
      server(serverId(place.region === 'us-east-2' ? 2 : 4), 'staging', place),
    ],
    leftOut: [{ id: serverId(9), why: 'no SSM agent has reported from it' }],
  });
  const nowhere = async () => ({ servers: [], leftOut: [] });

  test('are those of its environment in every place', async () => {
    const { servers, policy, leftOut } = await chooseServers(settings, 'production', everywhere);
    expect(servers.map(({ id }) => id).toSorted()).toEqual([serverId(1), serverId(3)]);
    expect(policy.name).toBe('production');
    expect(leftOut).toHaveLength(2);
  });

  test('are those that are listed, if they are of its environment', async () => {
    const listed = [server(serverId(7), 'production')];
    expect((await chooseServers(settings, 'production', nowhere, listed)).servers).toEqual(listed);
    const stranger = [server(serverId(8), 'staging')];
    await expect(chooseServers(settings, 'production', nowhere, stranger)).rejects.toThrow(
      `server ${serverId(8)} is of environment staging, policy production is for production`,
    );
  });

  test('are none at all where a place can not be looked at, and who asks hears of it', async () => {
    const denied = async (_: Settings, place: typeof ohio) => {
      if (place.region === ohio.region) throw new Error('not authorized to perform: sts:AssumeRole');
      return everywhere(settings, place);
    };
    await expect(chooseServers(settings, 'production', denied)).rejects.toThrow(
      `servers of ${ohio.account}/us-east-2 can not be looked for, deploy its stack or list the servers: not authorized`,
    );
  });

  test('are never none', async () => {
    await expect(chooseServers(settings, 'test', everywhere)).rejects.toThrow(
      'no server of environment test carries the opt-in tag; 2 were left out',
    );
  });

  test('need a policy that exists', async () => {
    await expect(chooseServers(settings, 'prod', everywhere)).rejects.toThrow(
      'there is no policy prod: choose of production, test',
    );
  });
});
