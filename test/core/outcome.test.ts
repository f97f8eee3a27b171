import { describe, expect, test } from 'vitest';
import { type Facts, factsAfter, unknownFacts } from '../../core/outcome.ts';
import { allGood } from '../support/samples.ts';

describe('the facts after a phase', () => {
  test('are those it says', () => {
    const said: Facts = { ...unknownFacts, rebootPending: true };
    expect(factsAfter('prepare', unknownFacts, said)).toEqual(said);
    expect(factsAfter('patch', allGood, said)).toEqual(said);
  });

  test('are unknown after a patch of which nothing was heard, whatever was true before', () => {
    expect(factsAfter('patch', allGood, undefined)).toEqual(unknownFacts);
  });

  test('are no longer what the patch said where the verification could not find out', () => {
    expect(factsAfter('verify', allGood, unknownFacts)).toEqual({ ...unknownFacts, rebooted: true });
    expect(factsAfter('verify', allGood, { ...allGood, rebooted: false }).rebooted).toBe(false);
  });

  test('are those that a rollback says, and a restart of before stays one', () => {
    const said: Facts = { ...allGood, installed: false, rebooted: false };
    expect(factsAfter('rollback', allGood, said)).toEqual({ ...said, rebooted: true });
    expect(factsAfter('rollback', unknownFacts, said).rebooted).toBeNull();
    expect(factsAfter('rollback', allGood, undefined)).toEqual(unknownFacts);
  });

  test('stay what the patch said when nothing was heard of the verification', () => {
    expect(factsAfter('verify', allGood, undefined)).toEqual(allGood);
  });
});
