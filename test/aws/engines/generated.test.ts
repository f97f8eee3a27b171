import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOnFirst } from './first-engine.ts';
import { generated } from './generated.ts';
import { SecondEngine } from './second-engine.ts';

let second: SecondEngine;
beforeAll(async () => {
  second = await SecondEngine.start();
});
afterAll(() => second?.close());

test('both engines agree on random machines', async () => {
  await fc.assert(
    fc.asyncProperty(generated, async (rehearsal) => {
      expect(await runOnFirst(rehearsal)).toEqual(await second.run(rehearsal));
    }),
    { seed: 20261121, numRuns: 100, endOnFailure: true },
  );
});
