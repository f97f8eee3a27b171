import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { familySchema } from '../../core/server.ts';
import { type Member, planBatches, planWaves } from '../../core/waves.ts';
import { dublin, frankfurt, policyOf, serverId } from '../support/samples.ts';

const member = fc.record({
  id: fc.nat(5000).map(serverId),
  family: fc.constantFrom(...familySchema.options),
  place: fc.constantFrom(frankfurt, dublin),
});
const members = fc.uniqueArray(member, { selector: ({ id }) => id, maxLength: 300 });
const waves = fc.record({
  canary: fc.integer({ min: 1, max: 20 }),
  percentages: fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
    .map((shares) => [...shares.toSorted((a, b) => a - b), 100]),
  soakSeconds: fc.constant(0),
});

const ids = (all: readonly Member[]) => all.map(({ id }) => id);
const kind = ({ family, place }: Member) => `${family} ${place.account} ${place.region}`;

describe('waves', () => {
  test('hold every server exactly once', () => {
    fc.assert(
      fc.property(members, waves, (all, policy) => {
        expect(ids(planWaves(all, policy).flat()).toSorted()).toEqual(ids(all).toSorted());
      }),
    );
  });

  test('begin with as many canaries as the policy says, and none is empty', () => {
    fc.assert(
      fc.property(members, waves, (all, policy) => {
        const planned = planWaves(all, policy);
        expect(planned[0]?.length ?? 0).toBe(Math.min(all.length, policy.canary));
        expect(planned.every((wave) => wave.length > 0)).toBe(true);
      }),
    );
  });

  test('reach each share of the other servers, rounded up', () => {
    fc.assert(
      fc.property(members, waves, (all, policy) => {
        const later = planWaves(all, policy).slice(1);
        const rest = Math.max(0, all.length - policy.canary);
        const reached = new Set(later.map((_, index) => later.slice(0, index + 1).flat().length));
        const wanted = new Set(policy.percentages.map((share) => Math.ceil((rest * share) / 100)));
        expect(reached).toEqual(rest === 0 ? new Set() : wanted);
      }),
    );
  });

  test('are the same whatever the order of the input', () => {
    fc.assert(
      fc.property(
        members.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        waves,
        ([all, shuffled], policy) => {
          expect(planWaves(shuffled, policy)).toEqual(planWaves(all, policy));
          expect(planBatches(shuffled)).toEqual(planBatches(all));
        },
      ),
    );
  });

  test('take canaries of different kinds before two of one kind', () => {
    fc.assert(
      fc.property(members, waves, (all, policy) => {
        const canaries = planWaves(all, policy)[0] ?? [];
        const kinds = new Set(all.map(kind)).size;
        expect(new Set(canaries.map(kind)).size).toBe(Math.min(kinds, canaries.length));
      }),
    );
  });

  test('are canary, a quarter of the rest, and all, when the policy does not say', () => {
    const all = Array.from(
      { length: 101 },
      (_, n): Member => ({
        id: serverId(n),
        family: 'debian',
        place: frankfurt,
      }),
    );
    expect(planWaves(all, policyOf().waves).map((wave) => wave.length)).toEqual([1, 25, 75]);
  });
});

describe('batches', () => {
  test('hold every server exactly once, at most 50, of one kind', () => {
    fc.assert(
      fc.property(members, (all) => {
        const batches = planBatches(all);
        const byId = new Map(all.map((one) => [one.id, one]));
        expect(batches.flatMap(({ serverIds }) => serverIds).toSorted()).toEqual(ids(all).toSorted());
        for (const batch of batches) {
          expect(batch.serverIds.length).toBeGreaterThan(0);
          expect(batch.serverIds.length).toBeLessThanOrEqual(50);
          for (const id of batch.serverIds)
            expect(byId.get(id)).toMatchObject({ family: batch.family, place: batch.place });
        }
      }),
    );
  });

  test('of one kind are as large as SendCommand takes, and no larger', () => {
    const all = Array.from(
      { length: 101 },
      (_, n): Member => ({ id: serverId(n), family: 'debian', place: frankfurt }),
    );
    expect(planBatches(all).map(({ serverIds }) => serverIds.length)).toEqual([50, 50, 1]);
  });

  test('hold bare metal apart, which has longer to restart', () => {
    const all = [1, 2, 3].map(
      (n): Member => ({
        id: serverId(n),
        family: 'debian',
        place: frankfurt,
        ...(n === 2 && { metal: true as const }),
      }),
    );
    expect(planBatches(all)).toMatchObject([
      { serverIds: [serverId(1), serverId(3)] },
      { serverIds: [serverId(2)], metal: true },
    ]);
  });

  test('are no more than the kinds need', () => {
    fc.assert(
      fc.property(members, (all) => {
        const kinds = [...new Set(all.map(kind))];
        const sizes = kinds.map((one) => all.filter((server) => kind(server) === one).length);
        expect(planBatches(all)).toHaveLength(sizes.reduce((sum, size) => sum + Math.ceil(size / 50), 0));
      }),
    );
  });
});
