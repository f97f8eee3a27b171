import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClock, type LocalClock } from '../../../apps/local/clock.ts';
import { RunCommand } from '../../../apps/local/run-command/service.ts';
import { documentContentHash } from '../../../core/document.ts';
import { instantOf } from '../../../core/instant.ts';
import type { CommandRequest, Commands, Fleet } from '../../../core/ports.ts';
import type { Ec2Calls } from '../../../lambdas/aws/ec2-instances.ts';
import type { ClientLocation } from '../../../lambdas/aws/place-clients.ts';
import { createCommandCalls, createSsmCommands } from '../../../lambdas/aws/ssm-commands.ts';
import { createDocumentCalls, createSsmDocuments } from '../../../lambdas/aws/ssm-documents.ts';
import { createSsmFleet } from '../../../lambdas/aws/ssm-fleet.ts';
import { createInvocationCalls, createSsmInvocations } from '../../../lambdas/aws/ssm-invocations.ts';
import { createNodeCalls } from '../../../lambdas/aws/ssm-nodes.ts';
import { describeCommands } from '../../contracts/commands.contract.ts';
import { createFunctionAgent } from '../../support/function-agent.ts';
import { type RunCommandEndpoint, serveRunCommand } from '../../support/run-command-endpoint.ts';
import { frankfurt, serverId } from '../../support/samples.ts';

const documentName = 'Quarterdeck-Contract';
const failing = serverId(1001);
const offline = serverId(1002);
const good = Array.from({ length: 60 }, (_, index) => serverId(index + 1));
const optIn = { key: 'quarterdeck', value: 'enrolled' };

interface Ssm {
  readonly clock: LocalClock;
  readonly endpoint: RunCommandEndpoint;
  readonly commands: Commands;
  readonly fleet: Fleet;
  /** What this release takes the documents to say. */
  readonly expected: Map<string, string>;
  /** The newest content, with its keys in another order: services give JSON back in their own words. */
  revise(): string;
}

async function startSsm(): Promise<Ssm> {
  const clock = createClock(Date.UTC(2026, 10, 20), () => 0);
  const service = new RunCommand({ clock, ...frankfurt, emit: () => {} });
  const agent = createFunctionAgent(clock, (task) => ({
    code: task.instanceId === failing ? 1 : 0,
    stdout: `${task.parameters.Word}${task.document.description}\n`,
  }));
  agent.away.add(offline);
  for (const id of [...good, failing, offline]) service.registerInstance(id, agent, id);
  const contents: string[] = [];
  const expected = new Map<string, string>();
  const revise = () => {
    const content = {
      schemaVersion: '2.2',
      description: contents.length === 0 ? '' : ` ${contents.length + 1}`,
      parameters: { Word: { type: 'String', allowedPattern: '^[a-z]+$' } },
      mainSteps: [
        { action: 'aws:runShellScript', name: 'print', inputs: { runCommand: ['echo {{ Word }}'] } },
      ],
    };
    service.registerDocument(documentName, JSON.stringify(content));
    contents.push(JSON.stringify(Object.fromEntries(Object.entries(content).toReversed()), null, 2));
    expected.set(documentName, documentContentHash(content));
    return contents.at(-1) as string;
  };
  revise();
  const endpoint = await serveRunCommand(service, (_, version) => contents[Number(version) - 1] ?? '');
  const location: ClientLocation = {
    region: frankfurt.region,
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  };
  const calls = {
    ...createCommandCalls(location, 300),
    ...createInvocationCalls(location),
    ...createDocumentCalls(location),
    ...createNodeCalls(location),
    ...instances([...good, failing, offline]),
  };
  // The clock must not skip ahead while a call is on its way.
  const busy = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return (...args: Args) => clock.busy(() => call(...args));
  };
  const { pin } = createSsmDocuments({ callsIn: () => calls, expected: (name) => expected.get(name) });
  const pace = { perSecond: 5, burst: 5, stopwatch: () => 0, wait: async () => {} };
  const { send, find } = createSsmCommands({ callsIn: () => calls, pace });
  const { invocations } = createSsmInvocations(() => calls);
  const { presence } = createSsmFleet({ callsIn: () => calls, optIn });
  return {
    clock,
    endpoint,
    commands: { pin: busy(pin), send: busy(send), find: busy(find), invocations: busy(invocations) },
    fleet: { presence: busy(presence) },
    expected,
    revise,
  };
}

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

describeCommands('the SDK, over the wire', async () => {
  const { clock, endpoint, commands, fleet, revise } = await startSsm();
  return {
    commands,
    fleet,
    place: frankfurt,
    document: documentName,
    servers: { good, failing, offline, unknown: serverId(9999) },
    now: () => instantOf(clock.now()),
    reviseDocument: async () => void revise(),
    settle: () => new Promise((resolve) => clock.at(clock.now() + 10_000, resolve)),
    close: () => endpoint.close(),
  };
});

describe('the SSM adapter', () => {
  let ssm: Ssm;
  beforeAll(async () => {
    ssm = await startSsm();
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
