/**
 * Holds the policies to what functions really call: whole campaigns on moto, every call of each function put into the
 * rights that it takes. Nothing is missing, and nothing is given that neither a call, nor AWS, nor a reason asks for.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type FunctionName, functions } from '../../../lambdas/functions.ts';
import { type Exchange, validateExchanges } from '../exchanges/validate-exchanges.ts';
import { pythonTool } from '../python.ts';
import { cast } from './cast.ts';
import { grantsOf, textOf, unusedGrants } from './grants.ts';
import { impliedRequests } from './implied-requests.ts';
import { rareRights, siftRights } from './rare-rights.ts';
import { type RecordedCampaigns, recordCampaigns } from './recorded-campaigns.ts';
import { requestsOf } from './recorded-requests.ts';
import { type AccessRequest, distinct, toSimulate } from './request.ts';
import { recordServer, serverRequests } from './server-requests.ts';
import { signedCalls } from './signed-calls.ts';
import { type SimulatedAnswer, simulate } from './simulator/simulator.ts';

let recorded: RecordedCampaigns;
let requests: AccessRequest[];
let answers: SimulatedAnswer[];
let everything: ReturnType<typeof cast>;

beforeAll(async () => {
  recorded = await recordCampaigns();
  // Logical ids are the same in every configuration: the stack with everything has the names of the one on moto.
  everything = cast('everything', recorded.physicalIds);
  const { access, servers, store } = everything;
  const calls = signedCalls(recorded.calls, access);
  const facts = {
    partition: 'aws',
    keyOf: access.keyOf,
    machineOf: recorded.machineOf,
    tagsOf: () => ({ patching: 'yes' }),
  };
  const serverCalls = await recordServer();
  requests = distinct([
    ...calls.flatMap((call) => requestsOf(call, facts)),
    ...impliedRequests(access.model, access.keyOf),
    ...servers.flatMap((server) => serverRequests(serverCalls, server, store)),
  ]);
  answers = await simulate(
    access.model.policies,
    requests.map((request) => toSimulate(access.model, request)),
  );
}, 600_000);

/** botocore's names of the services that speak JSON; the answers of those that we play ourselves are held to it, too. */
const jsonServices: Readonly<Record<string, { readonly name: string; readonly isOurs: boolean }>> = {
  dynamodb: { name: 'dynamodb', isOurs: false },
  ssm: { name: 'ssm', isOurs: true },
  states: { name: 'stepfunctions', isOurs: true },
};

function exchangesOf({ calls }: RecordedCampaigns): Exchange[] {
  return calls.flatMap(({ service, operation, input, answer }) => {
    const known = jsonServices[service];
    if (known === undefined) return [];
    const isHeard = answer !== undefined && known.isOurs;
    const text = isHeard ? answer.body.toString('utf8') : '';
    return [
      {
        service: known.name,
        operation,
        request: input,
        status: answer?.status ?? null,
        response: isHeard ? JSON.parse(text || '{}') : null,
      },
    ];
  });
}

describe('whole campaigns', () => {
  test("ask in words of botocore's models, and what plays SSM and Step Functions answers in them", async () => {
    const exchanges = exchangesOf(recorded);
    expect(new Set(exchanges.map(({ service }) => service)).size).toBe(3);
    const verdict = await validateExchanges(pythonTool('python'), exchanges);
    expect([...new Set(verdict.problems.map((problem) => problem.replace(/^\d+ /, '')))]).toEqual([]);
    expect(verdict).toMatchObject({ exchanges: exchanges.length, unchecked: [] });
  });

  test('are of every function there is', () => {
    const callers = new Set(recorded.calls.map(({ caller }) => caller));
    expect(Object.keys(functions).filter((name) => !callers.has(name as FunctionName))).toEqual([]);
  });

  test('call nothing that the policies of their function do not allow', () => {
    expect(requests.length).toBeGreaterThan(300);
    const refused = answers.flatMap(({ result, error, ignoredKeys }, index) => {
      const { from, action, resource } = requests[index] as AccessRequest;
      return result === 'Allowed' && ignoredKeys.length === 0
        ? []
        : [`${from}: ${action} on ${resource} is ${result} ${error ?? ''} ${ignoredKeys.join()}`];
    });
    expect(refused).toEqual([]);
  });

  test('use every right, but for those with a reason', () => {
    const unused = unusedGrants(grantsOf(everything.access.model), answers);
    const { unexplained, stale } = siftRights(unused, rareRights);
    expect(unexplained.map(textOf)).toEqual([]);
    expect(stale.map(({ reason }) => reason)).toEqual([]);
  });
});
