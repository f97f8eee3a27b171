import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instantOf } from '../../../core/instant.ts';
import type { CommandRequest } from '../../../core/ports.ts';
import type { Ec2Calls } from '../../../lambdas/aws/ec2-instances.ts';
import { createSsmDocuments } from '../../../lambdas/aws/ssm-documents.ts';
import { createSsmFleet } from '../../../lambdas/aws/ssm-fleet.ts';
import { describeCommands } from '../../contracts/commands.contract.ts';
import { frankfurt, serverId } from '../../support/samples.ts';
import { documentName, optIn, type SsmUnderTest, startSsm } from '../../support/ssm-under-test.ts';

const failing = serverId(1001);
const offline = serverId(1002);
const good = Array.from({ length: 60 }, (_, index) => serverId(index + 1));

/** EC2 speaks XML: the few fields that are read come from a function. */
function instances(ids: readonly string[], tags = [{ Key: optIn.key, Value: optIn.value }]): Ec2Calls {
  return {
    async describeInstances({ Filters }) {
      const wanted = Filters?.find(({ Name }) => Name === 'instance-id')?.Values ?? [];
      const found = ids.filter((id) => wanted.includes(id));
      return {
        Reservations: [
          { Instances: found.map((InstanceId) => ({ InstanceId, State: { Name: 'running' }, Tags: tags })) },
        ],
      };
    },
  };
}

const servers = { good, failing, offline };
const start = () => startSsm(servers, instances([...good, failing, offline]));

describeCommands('the SDK, over the wire', async () => (await start()).underTest());

describe('the SSM adapter', () => {
  let ssm: SsmUnderTest;
  beforeAll(async () => {
    ssm = await start();
  });
  afterAll(() => ssm.endpoint.close());

  const request = async (comment: string): Promise<CommandRequest> => ({
    document: await ssm.commands.pin(frankfurt, documentName),
    serverIds: good.slice(0, 2),
    parameters: { Word: 'hello' },
    comment,
    deliveryTimeout: 60,
  });
  const answer = (status: number, name: string) => (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: name, message: 'as the test says' }));
  };
  const cut = (response: ServerResponse) => void response.destroy();
  const sendsSince = (from: number) =>
    ssm.endpoint.calls.slice(from).filter((name) => name === 'SendCommand').length;

  test.each([
    ['is throttled', answer(400, 'ThrottlingException'), 'throttled'],
    ['comes with credentials that ran out', answer(400, 'ExpiredTokenException'), 'throttled'],
    ['may not', answer(400, 'AccessDeniedException'), 'refused'],
    ['meets an error of the service', answer(500, 'InternalServerError'), 'ambiguous'],
    ['meets a service that is overloaded', answer(503, 'ServiceUnavailable'), 'ambiguous'],
    ['loses its connection', cut, 'ambiguous'],
    ['is never answered', () => {}, 'ambiguous'],
  ])('a send that %s is said to be so, and is not sent again', async (what, interruption, code) => {
    const sending = await request(`contract ${what}`);
    const before = ssm.endpoint.calls.length;
    ssm.endpoint.interrupt(interruption);
    await expect(ssm.commands.send(frankfurt, sending)).rejects.toMatchObject({ code });
    expect(sendsSince(before)).toBe(1);
  });

  test('a command whose answer was lost is found by its comment', async () => {
    const since = instantOf(ssm.clock.now());
    const sending = await request('lost answer');
    ssm.endpoint.interrupt(cut, 'after');
    await expect(ssm.commands.send(frankfurt, sending)).rejects.toMatchObject({ code: 'ambiguous' });
    expect(await ssm.commands.find(frankfurt, 'lost answer', since)).toHaveLength(1);
  });

  test('reading is tried again', async () => {
    ssm.endpoint.interrupt(answer(500, 'InternalServerError'));
    expect(await ssm.commands.find(frankfurt, 'never sent', '2026-11-19T00:00:00.000Z')).toEqual([]);
  });

  test('a document that this release does not have is missing, without asking where the role may not look', async () => {
    const documents = createSsmDocuments({
      callsIn: () => {
        throw new Error('AccessDeniedException');
      },
      expected: () => undefined,
    });
    await expect(documents.pin(frankfurt, 'Quarterdeck-Amazon-Prepare')).rejects.toMatchObject({
      code: 'document-missing',
    });
  });

  test.each(['AccessDenied', 'AccessDeniedException'])('%s is a place that lets nobody in', async (name) => {
    const denied = () => Promise.reject(Object.assign(new Error('not authorized'), { name }));
    const documents = createSsmDocuments({
      callsIn: () => ({ describeDocument: denied, getDocument: denied }),
      expected: () => 'a hash',
    });
    await expect(documents.pin(frankfurt, documentName)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('not authorized'),
    });
  });

  test('a document that is not what this release was made with is not pinned', async () => {
    const before = ssm.expected.get(documentName) as string;
    ssm.revise();
    ssm.expected.set(documentName, before);
    await expect(ssm.commands.pin(frankfurt, documentName)).rejects.toMatchObject({
      name: 'DocumentDiffers',
      code: 'document-differs',
      message: expect.stringContaining(before),
    });
  });

  test.each([
    ['lacks the opt-in tag', []],
    ['carries it with another value', [{ Key: 'quarterdeck', Value: 'no' }]],
  ])('a server that %s is gone, whether its agent answers or not', async (_, tags) => {
    const id = good[0] as string;
    const calls = {
      ...instances([id], tags),
      describeInstanceInformation: async () => ({
        InstanceInformationList: [{ InstanceId: id, PingStatus: 'Online' as const }],
      }),
      listTagsForResource: async () => ({}),
    };
    const fleet = createSsmFleet({ callsIn: () => calls, optIn });
    expect(await fleet.presence(frankfurt, [id])).toEqual(new Map([[id, 'gone']]));
  });

  test('a stopped instance is offline, a terminated one gone, a hybrid node what SSM says', async () => {
    const [stopped, terminated] = good as [string, string];
    const [answering, deregistered, untagged] = ['a', 'b', 'c'].map((digit) => `mi-${digit.repeat(17)}`) as [
      string,
      string,
      string,
    ];
    const Tags = [{ Key: optIn.key, Value: optIn.value }];
    const fleet = createSsmFleet({
      optIn,
      callsIn: () => ({
        describeInstances: async () => ({
          Reservations: [
            { Instances: [{ InstanceId: stopped, State: { Name: 'stopped' as const }, Tags }] },
            { Instances: [{ InstanceId: terminated, State: { Name: 'terminated' as const }, Tags }] },
          ],
        }),
        describeInstanceInformation: async () => ({
          InstanceInformationList: [answering, untagged].map((InstanceId) => ({
            InstanceId,
            PingStatus: 'Online' as const,
          })),
        }),
        listTagsForResource: async ({ ResourceId }) => ({ TagList: ResourceId === answering ? Tags : [] }),
      }),
    });
    expect(await fleet.presence(frankfurt, [stopped, terminated, answering, deregistered, untagged])).toEqual(
      new Map([
        [stopped, 'offline'],
        [terminated, 'gone'],
        [answering, 'online'],
        [deregistered, 'gone'],
        [untagged, 'gone'],
      ]),
    );
  });
});
