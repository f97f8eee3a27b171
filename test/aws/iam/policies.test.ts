/**
 * Holds the synthesised policies to what AWS and the servers ask for by themselves, and to what nobody may do: evaluated
 * by somebody else's evaluator, which knows AWS's lists of actions, resource types and condition keys.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { configurations } from '../templates/configurations.ts';
import { cast } from './cast.ts';
import type { DeployedAccess } from './deployed-access.ts';
import { forbiddenRequests } from './forbidden-requests.ts';
import { impliedRequests } from './implied-requests.ts';
import { type AccessRequest, distinct, toSimulate } from './request.ts';
import { recordServer, type ServerCalls, serverRequests } from './server-requests.ts';
import { type SimulatedAnswer, simulate } from './simulator/simulator.ts';

/** All that is not as it should be; a key of the context that an action does not know would make a condition idle. */
async function surprises(
  { model }: DeployedAccess,
  requests: readonly AccessRequest[],
  expected: (request: AccessRequest) => SimulatedAnswer['result'] = () => 'Allowed',
): Promise<string[]> {
  const answers = await simulate(
    model.policies,
    requests.map((request) => toSimulate(model, request)),
  );
  return answers.flatMap(({ result, error, ignoredKeys }, index) => {
    const request = requests[index] as AccessRequest;
    const told = `${request.from}: ${request.principal} ${request.action} on ${request.resource}`;
    const unknown = ignoredKeys.map((key) => `${told} knows no ${key}`);
    return result === expected(request) ? unknown : [`${told} is ${result} ${error ?? ''}`, ...unknown];
  });
}

const denied = (request: AccessRequest) =>
  'isDenied' in request ? ('ExplicitlyDenied' as const) : ('ImplicitlyDenied' as const);

describe.each(Object.keys(configurations))('the policies of %s', (name) => {
  const { access, servers, store } = cast(name);
  let calls: ServerCalls;
  beforeAll(async () => {
    calls = await recordServer();
  });

  test('let AWS do what the resources need it for', async () => {
    const requests = distinct(impliedRequests(access.model, access.keyOf));
    expect(requests.length).toBeGreaterThan(100);
    expect(await surprises(access, requests)).toEqual([]);
  });

  test('let servers read their orders and hooks, write their results and back up, instances and hybrid nodes alike', async () => {
    expect(calls.read.length).toBeGreaterThan(2);
    expect(calls.written.length).toBeGreaterThan(2);
    expect(calls.read).toContain('hooks/drain.sh');
    expect(calls.backedUp).toHaveLength(1);
    const requests = distinct(servers.flatMap((server) => serverRequests(calls, server, store)));
    expect(await surprises(access, requests)).toEqual([]);
  });
});

describe('the policies of everything', () => {
  const { access, servers } = cast('everything');
  const forbidden = forbiddenRequests(access, [...new Set(servers.map(({ role }) => role))]);

  test('let nobody do what only looks like their work', async () => {
    expect(await surprises(access, forbidden, denied)).toEqual([]);
  });

  test('are really asked: what is allowed is no answer for what is forbidden, nor the other way round', async () => {
    const allowed = distinct(impliedRequests(access.model, access.keyOf)).slice(0, 40);
    expect(await surprises(access, allowed, denied)).toHaveLength(40);
    expect(await surprises(access, forbidden)).toHaveLength(forbidden.length);
  });

  test('do not pass with a right less', async () => {
    const requests = distinct(impliedRequests(access.model, access.keyOf));
    const [used] = requests.filter(({ action }) => action === 'sqs:ReceiveMessage');
    const policies = Object.fromEntries(
      Object.entries(access.model.policies).map(([policy, document]) => [
        policy,
        JSON.parse(JSON.stringify(document).replaceAll('"sqs:ReceiveMessage"', '"sqs:PurgeQueue"')),
      ]),
    );
    const model = { ...access.model, policies };
    expect(await surprises({ ...access, model }, requests)).toEqual([
      expect.stringContaining(
        `${used?.principal} sqs:ReceiveMessage on ${used?.resource} is ImplicitlyDenied`,
      ),
    ]);
  });

  test('know no request that AWS does not know', async () => {
    const role = access.roleOf('sweep');
    const request = { principal: role, account: access.home.account, from: 'test' };
    expect(
      await surprises(access, [
        { ...request, action: 's3:HeadObject', resource: 'arn:aws:s3:::bucket/key' },
        { ...request, action: 'ssm:ListCommands', resource: access.arnOfOne('AWS::DynamoDB::Table') },
        { ...request, action: 'dynamodb:GetItem', resource: access.arnOfOne('AWS::KMS::Key', 'PatchingKey') },
      ]),
    ).toEqual([
      expect.stringContaining('is Invalid {"message":"invalid.action"}'),
      expect.stringContaining('is Invalid {"message":"must.use.wildcard"}'),
      expect.stringContaining('is Invalid {"message":"no.resource.types"}'),
    ]);
  });
});
