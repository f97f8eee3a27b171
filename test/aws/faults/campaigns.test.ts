/**
 * Holds whole campaigns to the truth while AWS fails under them: once at every operation of every function, in each way
 * in turn, and at random all the time.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FunctionName } from '../../../lambdas/functions.ts';
import { seeded } from '../../support/campaign-world.ts';
import { type AwsWorld, openAwsWorld } from '../campaign-world.ts';
import type { AwsCall } from '../proxy.ts';
import { type CampaignOutcome, runCampaign } from './campaign-runs.ts';
import { type FaultKind, faultKinds, faultOf } from './fault-kinds.ts';
import { isPartial, partialAnswer } from './partial-answers.ts';
import { untruths } from './truth.ts';

let world: AwsWorld;
let campaigns = 0;
const nextId = () => `campaign-f${String(++campaigns).padStart(4, '0')}`;

/**
 * Throttling is rarer than the rest: an adaptive client then calls once in two seconds until it has learnt better, and
 * these are real seconds. Every operation is throttled in the tests of adapters.
 */
const quickKinds = faultKinds.filter((kind) => kind !== 'throttled');
const kindAt = (index: number): FaultKind =>
  index % 13 === 5
    ? 'throttled'
    : (quickKinds[(index + Math.floor(index / 9)) % quickKinds.length] as FaultKind);

/** Calls of functions; what servers and tests ask for is not ours to survive. */
const isOurs = ({ caller }: AwsCall) => caller !== 'servers' && caller !== 'test' && caller !== 'people';

async function approved(): Promise<CampaignOutcome> {
  return runCampaign(world, { id: nextId(), whenAsked: 'approve' });
}

beforeAll(async () => {
  world = await openAwsWorld({ servers: 3 });
  // What a stack writes once, at its first sweep, is no part of any campaign.
  await world.invoke('sweep', {});
}, 120_000);
afterAll(() => world?.close());

/** Every function with every operation that it calls in a campaign in which nothing fails. */
const places: string[] = [];
const placeOf = ({ caller, service, operation }: AwsCall) => `${caller} ${service}:${operation}`;

test('a campaign in which nothing fails', async () => {
  const from = world.proxy.calls.length;
  const outcome = await approved();
  expect(await untruths(world, outcome)).toEqual([]);
  expect(outcome.jobs.map(({ state }) => state)).toEqual(Array(3).fill('succeeded'));
  places.push(...new Set(world.proxy.calls.slice(from).filter(isOurs).map(placeOf)));
  expect(places.length).toBeGreaterThan(25);
});

/** Campaigns for all single faults: with one for each fault, and the SDK's real pauses, this would take ten minutes. */
const rounds = 9;

test.each(Array.from({ length: rounds }, (_, round) => round))(
  'one fault at each operation of each function leaves the campaign true, part %i',
  async (round) => {
    // Neighbours in time go to different campaigns, and the kinds take turns over the places.
    const struck = new Map(
      places.flatMap((place, index) => (index % rounds === round ? [[place, kindAt(index)] as const] : [])),
    );
    expect(struck.size).toBeGreaterThan(0);
    const done = new Set<string>();
    const undo = world.proxy.spoil((call) => {
      const place = placeOf(call);
      const kind = struck.get(place);
      if (kind === undefined || done.has(place)) return undefined;
      done.add(place);
      return faultOf(kind, call.service);
    });
    const outcome = await approved();
    undo();
    const told = JSON.stringify([...struck]);
    expect(await untruths(world, outcome), told).toEqual([]);
    // One fault is survived: the state machine, the queue or the schedule tries again.
    expect(
      outcome.jobs.map(({ state }) => state),
      told,
    ).toEqual(Array(3).fill('succeeded'));
    expect([...done].toSorted()).toEqual([...struck.keys()].toSorted());
  },
  120_000,
);

describe('faults at random', () => {
  test.each([1, 2])(
    'all the time, seed %i',
    async (seed) => {
      const random = seeded(seed);
      const struck: string[] = [];
      const undo = world.proxy.spoil((call) => {
        if (!isOurs(call) || random() > 0.02) return undefined;
        const kind = kindAt(Math.floor(random() * 1300));
        struck.push(`${placeOf(call)} ${kind}`);
        return isPartial(call) && random() < 0.5 ? partialAnswer(call) : faultOf(kind, call.service);
      });
      const outcome = await approved();
      undo();
      expect(await untruths(world, outcome), struck.join('\n')).toEqual([]);
      expect(struck.length).toBeGreaterThan(3);
    },
    120_000,
  );
});

test('commands of which no answer is ever heard run once all the same, and are found again', async () => {
  let struck = 0;
  const undo = world.proxy.spoil(({ service, operation }) => {
    if (operation !== 'SendCommand') return undefined;
    struck++;
    return faultOf('lost', service);
  });
  const outcome = await approved();
  undo();
  expect(await untruths(world, outcome)).toEqual([]);
  expect(outcome.jobs.map(({ state }) => state)).toEqual(Array(3).fill('succeeded'));
  // Preparation, patch and verification, of the canary and of the others.
  expect(struck).toBe(5);
}, 120_000);

describe('a function whose credentials are refused for good', () => {
  test.each<[FunctionName, string]>([
    ['dispatch-batch', 'ssm:SendCommand'],
    ['seal-campaign', 'dynamodb:GetItem'],
    ['settle-events', 'ssm:ListCommandInvocations'],
    ['judge-wave', 'dynamodb:GetItem'],
  ])(
    '%s at %s: nothing is called what it is not',
    async (name, at) => {
      let struck = 0;
      const undo = world.proxy.spoil((call) => {
        if (placeOf(call) !== `${name} ${at}`) return undefined;
        struck++;
        return faultOf('expired', call.service);
      });
      const outcome = await approved();
      undo();
      expect(await untruths(world, outcome)).toEqual([]);
      expect(struck).toBeGreaterThan(0);
      // Events alone are not needed: the sweeper has rights of its own.
      expect(outcome.campaign?.state === 'completed').toBe(name === 'settle-events');
    },
    120_000,
  );
});
