/** Holds campaigns over several accounts and Regions: each server is asked about where it is, as the role there. */
import { afterAll, beforeAll, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { placeKey, type Server } from '../../core/server.ts';
import { configurationFrom } from '../support/synthesise.ts';
import { type AwsWorld, openAwsWorld, troubleOf } from './campaign-world.ts';
import { type CampaignOutcome, type CampaignRun, runCampaign } from './faults/campaign-runs.ts';
import { denialOf } from './faults/fault-kinds.ts';
import { untruths } from './faults/truth.ts';
import { type AwsCall, accountOfCall, type Fault } from './proxy.ts';
import { placesText } from './templates/configurations.ts';

const configuration = configurationFrom(placesText);
const home = configuration.home.account;
const member = '222222222222';
const memberRole = `arn:aws:iam::${member}:role/PatchMember`;

let world: AwsWorld;
beforeAll(async () => {
  world = await openAwsWorld({ configuration, servers: 1, hybrids: 1 });
});
afterAll(() => world?.close());

async function run(id: string, options: Pick<CampaignRun, 'servers'> = {}): Promise<CampaignOutcome> {
  onTestFailed(() => console.error(troubleOf(world)));
  const outcome = await runCampaign(world, { id, whenAsked: 'approve', ...options });
  expect(await untruths(world, outcome)).toEqual([]);
  return outcome;
}

const isOurs = ({ caller }: AwsCall) => !['servers', 'test', 'people', 'deployment'].includes(caller);

/** What is kept of servers is asked at home. */
const isOfServers = ({ service }: AwsCall) => service === 'ssm' || service === 'ec2';

/** Where a call went, and with whose credentials, in the words of places. */
const placeOf = (call: AwsCall) => placeKey({ account: accountOfCall(call, home), region: call.region });

/** States of the jobs by place. */
function statesOf({ jobs }: CampaignOutcome): Record<string, string[]> {
  const states: Record<string, string[]> = {};
  for (const { server, state } of jobs) {
    const place = placeKey(server.place);
    states[place] = [...(states[place] ?? []), state];
  }
  return states;
}

const allPlaces = (states: readonly string[]) =>
  Object.fromEntries(configuration.places.map((place) => [placeKey(place), states]));

test('a campaign patches the servers of every place, each as the role of its account and in its Region', async () => {
  const from = world.proxy.calls.length;
  const outcome = await run('campaign-everywhere');
  expect(outcome).toMatchObject({ status: 'SUCCEEDED', campaign: { state: 'completed' } });
  expect(statesOf(outcome)).toEqual(allPlaces(['succeeded', 'succeeded']));

  const calls = world.proxy.calls.slice(from).filter(isOurs);
  const placeOfServer = new Map(world.servers.map(({ id, place }) => [id, placeKey(place)]));
  const asked = calls
    .filter(isOfServers)
    .flatMap((call) => serversOfCall(call, world.servers).map((id) => ({ call, id })));
  expect(new Set(asked.map(({ call }) => call.operation))).toEqual(
    new Set(['SendCommand', 'DescribeInstanceInformation', 'DescribeInstances', 'ListTagsForResource']),
  );
  for (const { call, id } of asked)
    expect([call.operation, id, placeOf(call)]).toEqual([call.operation, id, placeOfServer.get(id)]);
  // Of commands and documents each place is asked, and the function's own rights reach no further than home.
  for (const operation of ['SendCommand', 'ListCommandInvocations', 'DescribeDocument', 'GetDocument']) {
    const of = calls.filter((call) => call.operation === operation);
    expect(new Set(of.map(placeOf)), operation).toEqual(new Set(configuration.places.map(placeKey)));
  }
  // Events come home from everywhere, as the rules of the places say. A sweep at the same moment may be first with an answer, never with all.
  const looks = calls.filter(({ operation }) => operation === 'ListCommandInvocations');
  expect(new Set(looks.map(({ caller }) => caller))).toContain('settle-events');
  expect(new Set(looks.filter(({ caller }) => caller === 'settle-events').map(placeOf))).toEqual(
    new Set(configuration.places.map(placeKey)),
  );
  expect(
    calls.filter(({ operation }) => operation === 'SendTaskSuccess').map(({ caller }) => caller),
  ).toContain('settle-events');
  const roles = calls.filter(({ role }) => role !== undefined);
  expect(new Set(roles.map(({ role }) => role))).toEqual(new Set([memberRole]));
  expect(new Set(roles.map(({ service }) => service))).toEqual(new Set(['ssm', 'ec2']));
});

/** Ids of servers that a call names, or whose command it asks about. */
function serversOfCall({ input }: AwsCall, servers: readonly Server[]): string[] {
  const text = JSON.stringify(input);
  return servers.map(({ id }) => id).filter((id) => text.includes(id));
}

const hour = 3_600_000;

/** Sessions of the role that functions still have are over. */
const sessionsEnd = () =>
  new Promise<void>((resolve) => void world.clock.at(world.clock.now() + hour, resolve));

/** One instance at home, and one in the member account. */
const two = () => {
  const [atHome] = world.servers;
  const there = world.servers.find(({ place }) => place.account === member);
  return [atHome, there] as [Server, Server];
};

/** For the rest of the test. */
const spoiling = (decide: (call: AwsCall) => Fault | undefined) => onTestFinished(world.proxy.spoil(decide));

const cannotAssume = ({ service, operation, input }: AwsCall) =>
  operation === 'AssumeRole' && input.RoleArn === memberRole ? denialOf(service) : undefined;

test('where the role of an account can not be assumed, its servers are unreachable and the others are patched', async () => {
  await sessionsEnd();
  const [atHome, there] = two();
  spoiling(cannotAssume);
  const outcome = await run('campaign-refused', { servers: [atHome, there] });
  expect(outcome).toMatchObject({ status: 'SUCCEEDED', campaign: { state: 'completed' } });
  expect(statesOf(outcome)).toEqual({
    [placeKey(atHome.place)]: ['succeeded'],
    [placeKey(there.place)]: ['unreachable'],
  });
  const [reason] = outcome.jobs.find(({ server }) => server.id === there.id)?.reasons ?? [];
  expect(reason).toMatchObject({
    code: 'place-refused',
    detail: expect.stringContaining(placeKey(there.place)),
  });
  expect(outcome.patched.get(there.id)).toBe(0);
});

test('whoever asks for a campaign of all servers hears of the account that lets nobody in, and gets none', async () => {
  await sessionsEnd();
  spoiling(cannotAssume);
  const from = world.proxy.calls.length;
  const asked = world.invoke('create-campaign', {
    campaignId: 'campaign-of-all',
    ...{ policy: 'production', quarter: '2029-Q1', requestedBy: 'requester@example.com' },
    window: { start: '2029-11-20T22:00:00.000Z', end: '2029-11-21T02:00:00.000Z', zone: 'Europe/Berlin' },
  });
  await expect(asked).rejects.toThrow(`servers of ${member}/eu-central-1 can not be looked for`);
  expect(world.proxy.calls.slice(from).map(({ operation }) => operation)).not.toContain('StartExecution');
});

test('where an account takes its role away after the patch was sent, its servers are lost and the others are seen through', async () => {
  const [atHome, there] = two();
  let isSent = false;
  spoiling((call) => {
    if (isSent && call.role === memberRole) return denialOf(call.service);
    isSent ||=
      call.operation === 'SendCommand' &&
      call.role === memberRole &&
      /-Patch$/.test(String(call.input.DocumentName));
    return isSent ? cannotAssume(call) : undefined;
  });
  const outcome = await run('campaign-left', { servers: [atHome, there] });
  expect(isSent).toBe(true);
  expect(statesOf(outcome)).toEqual({
    [placeKey(atHome.place)]: ['succeeded'],
    [placeKey(there.place)]: ['lost'],
  });
  expect(outcome.patched.get(there.id)).toBe(1);
});
