/** Holds every call of every adapter to its word when AWS fails it once, in each way in which AWS fails. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf } from '../../../cdk/repository.ts';
import type { Fault } from '../proxy.ts';
import { type AdapterWorld, startAdapterWorld } from './adapter-world.ts';
import { type AdapterCall, adapterCalls, expectationOf } from './adapters.ts';
import { type FaultKind, faultKinds, faultOf } from './fault-kinds.ts';
import { isPartial, partialAnswer } from './partial-answers.ts';

let world: AdapterWorld;
beforeAll(async () => {
  world = await startAdapterWorld();
});
afterAll(async () => world?.close());

/** Acts while the first call that it makes of the operation is spoilt. @returns how often that was asked for */
async function struck(call: AdapterCall, faultFor: (service: string) => Fault, repeat = false) {
  const prepared = await call.prepare?.(world);
  const from = world.proxy.calls.length;
  const asked = () =>
    world.proxy.calls
      .slice(from)
      .filter(({ service, operation }) => `${service}:${operation}` === call.strikes);
  const undo = world.proxy.spoil(({ service, operation }) => {
    if (`${service}:${operation}` !== call.strikes) return undefined;
    return repeat || asked().length === 1 ? faultFor(service) : undefined;
  });
  try {
    const outcome = await call.act(world, prepared).then(
      (gives) => ({ gives }),
      (error: unknown) => ({ throws: String(error) }),
    );
    return { outcome, asked: asked().length };
  } finally {
    undo();
  }
}

describe.each(adapterCalls.map((call) => [call.strikes, call] as const))('%s', (_, call) => {
  test.each(faultKinds)('that is %s', async (kind: FaultKind) => {
    const { outcome, asked } = await struck(call, (service) => faultOf(kind, service));
    const expected = expectationOf(call, kind);
    if ('throws' in expected) expect(outcome).toEqual({ throws: expect.stringMatching(expected.throws) });
    else expect(outcome).toEqual({ gives: expected.gives });
    const isRepeated = !('throws' in expected);
    expect(asked).toBeGreaterThanOrEqual(isRepeated ? 2 : 1);
    // The next call, with fresh credentials, is as good as ever.
    const after = await struck(call, () => ({ kind: 'delay', millis: 1 }));
    expect(after.outcome).toEqual({ gives: call.gives });
  });
});

describe('an answer that brings a part alone', () => {
  const called = (strikes: string) =>
    adapterCalls.find((call) => call.strikes === strikes) as (typeof adapterCalls)[number];

  test('of BatchGetItem is completed by asking again for what is left', async () => {
    const call = called('dynamodb:BatchGetItem');
    const undo = world.proxy.spoil((asked) => (isPartial(asked) ? partialAnswer(asked) : undefined));
    const prepared = await call.prepare?.(world);
    try {
      expect(await call.act(world, prepared)).toEqual(call.gives);
    } finally {
      undo();
    }
  });

  test('of ListCommandInvocations is a server not heard of yet', async () => {
    const call = called('ssm:ListCommandInvocations');
    const prepared = await call.prepare?.(world);
    const undo = world.proxy.spoil((asked) => (isPartial(asked) ? partialAnswer(asked) : undefined));
    try {
      expect(await call.act(world, prepared)).toEqual([]);
    } finally {
      undo();
    }
    expect(await call.act(world, prepared)).toEqual(call.gives);
  });
});

test('every adapter that makes a client is here with every operation that it calls', () => {
  const folder = fileOf('lambdas', 'aws');
  const made = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const operations = [...text.matchAll(/\.send\(new (\w+)Command\(/g)].map((match) => match[1] as string);
    return operations.map((operation) => `${file.replace('.ts', '')} ${operation}`);
  });
  const listed = adapterCalls.map(({ module, strikes }) => `${module} ${strikes.split(':')[1]}`);
  expect(made.length).toBeGreaterThan(10);
  expect(listed.toSorted()).toEqual(made.toSorted());
});
