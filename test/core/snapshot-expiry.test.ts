import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemorySnapshots } from '../../apps/local/memory-snapshots.ts';
import { type Instant, plusSeconds } from '../../core/instant.ts';
import type { TakenSnapshot } from '../../core/ports.ts';
import { failedLately, fates } from '../../core/snapshot-expiry.ts';
import { orderOf, tagsOf } from '../../core/snapshot-tags.ts';
import { expireSnapshots } from '../../core/use-cases/expire-snapshots.ts';
import { dayBefore, dublin, frankfurt, serverId } from '../support/samples.ts';

const day = 86_400;
const now = plusSeconds(dayBefore, 400 * day);

/** @param age days since it was taken; it has expired ten days after that */
function snapshotOf(age: number, changes: Partial<TakenSnapshot> = {}): TakenSnapshot {
  const startedAt = plusSeconds(now, -age * day);
  return {
    snapshotId: `snap-${age}`,
    volumeId: 'vol-1',
    serverId: serverId(1),
    campaignId: `campaign-${age}`,
    state: 'completed',
    encrypted: true,
    startedAt,
    expiresAt: plusSeconds(startedAt, 10 * day),
    keepLast: 1,
    ...changes,
  };
}

const kept = (all: readonly TakenSnapshot[], at: Instant = now) =>
  fates(all, at)
    .filter(({ keep }) => keep)
    .map(({ snapshot }) => snapshot.snapshotId)
    .toSorted();

describe('a snapshot', () => {
  test('stays until it has expired, and not longer, where a newer one is good', () => {
    const all = [snapshotOf(1), snapshotOf(9), snapshotOf(11)];
    expect(kept(all)).toEqual(['snap-1', 'snap-9']);
    expect(kept(all, plusSeconds(now, 2 * day))).toEqual(['snap-1']);
  });

  test('stays while it is one of as many as its policy kept, however old', () => {
    const three = [100, 200, 300].map((age) => snapshotOf(age, { keepLast: 2 }));
    expect(kept(three)).toEqual(['snap-100', 'snap-200']);
  });

  test('that is the last good one of its server stays, whatever is newer', () => {
    const newer = [snapshotOf(20, { state: 'error' }), snapshotOf(30, { state: 'pending' })];
    expect(kept([...newer, snapshotOf(100), snapshotOf(200)])).toEqual(['snap-100']);
  });

  test('of another server speaks for none', () => {
    expect(kept([snapshotOf(1, { serverId: serverId(2) }), snapshotOf(100)])).toEqual(['snap-1', 'snap-100']);
  });

  test('stays with the others of its set, and one that is not completed makes the set not good', () => {
    const set = (age: number, state: TakenSnapshot['state']) => [
      snapshotOf(age, { snapshotId: `snap-${age}-root`, state: 'completed' }),
      snapshotOf(age, { snapshotId: `snap-${age}-data`, volumeId: 'vol-2', state }),
    ];
    expect(kept([...set(50, 'pending'), ...set(100, 'completed')])).toEqual([
      'snap-100-data',
      'snap-100-root',
    ]);
  });

  test('stays where none of its server is good, unless it failed', () => {
    expect(kept([snapshotOf(50, { state: 'recoverable' }), snapshotOf(60, { state: 'error' })])).toEqual([
      'snap-50',
    ]);
  });

  test('that failed does not go before the others of its set, which would look good without it', () => {
    const half = [
      snapshotOf(50, { snapshotId: 'snap-root' }),
      snapshotOf(50, { snapshotId: 'snap-data', volumeId: 'vol-2', state: 'error' }),
    ];
    expect(kept(half)).toEqual(['snap-data', 'snap-root']);
    expect(kept([...half, snapshotOf(100)])).toEqual(['snap-100']);
  });

  test('that failed is told of for two days', () => {
    const all = [snapshotOf(1, { state: 'error' }), snapshotOf(3, { state: 'error' }), snapshotOf(1)];
    expect(failedLately(all, now)).toEqual([all[0]]);
  });

  test('goes from no server that had a good set so that it has none', () => {
    const snapshot = fc
      .record({
        age: fc.integer({ min: 0, max: 300 }),
        server: fc.integer({ min: 1, max: 2 }),
        campaign: fc.integer({ min: 1, max: 4 }),
        keepLast: fc.integer({ min: 1, max: 3 }),
        state: fc.constantFrom('completed', 'error', 'pending'),
      })
      .map(({ age, server, campaign, keepLast, state }) =>
        snapshotOf(age, {
          snapshotId: `snap-${server}-${campaign}-${age}`,
          serverId: serverId(server),
          campaignId: `campaign-${campaign}`,
          keepLast,
          state: state as TakenSnapshot['state'],
        }),
      );
    const goodSets = (all: readonly TakenSnapshot[]) => {
      const names = new Set(all.map(({ serverId: server, campaignId }) => `${server} ${campaignId}`));
      return [...names].filter((name) =>
        all
          .filter(({ serverId: server, campaignId }) => `${server} ${campaignId}` === name)
          .every(({ state }) => state === 'completed'),
      );
    };
    fc.assert(
      fc.property(fc.array(snapshot, { maxLength: 12 }), (all) => {
        const before = goodSets(all).map((name) => name.split(' ')[0]);
        const left = fates(all, now).flatMap((fate) => (fate.keep ? [fate.snapshot] : []));
        const after = new Set(goodSets(left).map((name) => name.split(' ')[0]));
        for (const server of before) expect(after).toContain(server);
      }),
    );
  });
});

describe('tags of a snapshot', () => {
  const order = { campaignId: 'spring-2027-web', serverId: serverId(1), expiresAt: now, keepLast: 3 };

  test('are read as they were written', () => {
    expect(orderOf(tagsOf(order))).toEqual(order);
  });

  test.each([
    ['quarterdeck:campaign', undefined],
    ['quarterdeck:campaign', 'another'],
    ['quarterdeck:job', `spring-2027-web/${serverId(1)}/more`],
    ['quarterdeck:job', 'spring-2027-web/'],
    ['quarterdeck:expires', 'never'],
    ['quarterdeck:expires', '2027-02-30T00:00:00.000Z'],
    ['quarterdeck:keep-last', '0'],
    ['quarterdeck:keep-last', '-1'],
  ])('with %s of %s are not read, and say why', (key, value) => {
    const { [key]: _, ...rest } = tagsOf(order);
    expect(orderOf(value === undefined ? rest : { ...rest, [key]: value })).toEqual({
      why: expect.stringMatching(/\S/),
    });
  });
});

describe('the nightly expiry', () => {
  const places = [frankfurt, dublin];
  async function twoPlaces() {
    let at = dayBefore;
    const snapshots = createMemorySnapshots(() => at);
    for (const place of places)
      for (const campaignId of ['first', 'second']) {
        const expiresAt = plusSeconds(at, 10 * day);
        await snapshots.take(place, { campaignId, serverId: serverId(1), expiresAt, keepLast: 1 });
        at = plusSeconds(at, day);
      }
    at = now;
    return snapshots;
  }

  test('deletes what has had its time in every place, and says what stays and why', async () => {
    const snapshots = await twoPlaces();
    const report = await expireSnapshots({ snapshots }, places, now);
    expect(report.deleted.map(({ why }) => why.slice(0, 7))).toEqual(Array(4).fill('expired'));
    expect(report).toMatchObject({
      kept: { 'one of the 1 newest that are good': 4 },
      broken: [],
      failed: [],
    });
    for (const place of places) {
      const { snapshots: left } = await snapshots.list(place);
      expect(left.map(({ campaignId }) => campaignId)).toEqual(['second', 'second']);
    }
  });

  test('goes on where a place can not be looked at, a snapshot not be read, and one not be deleted', async () => {
    const memory = await twoPlaces();
    let first = true;
    const report = await expireSnapshots(
      {
        snapshots: {
          async list(place) {
            if (place === frankfurt) throw new Error('AccessDenied');
            const { snapshots } = await memory.list(place);
            return { snapshots, unread: [{ snapshotId: 'snap-odd', why: 'its tags name no job' }] };
          },
          async delete(place, snapshotId) {
            if (!first) return memory.delete(place, snapshotId);
            first = false;
            throw new Error('UnauthorizedOperation');
          },
        },
      },
      places,
      now,
    );
    expect(report.deleted).toHaveLength(1);
    expect(report.failed.map(({ error }) => error)).toEqual([
      'Error: AccessDenied',
      'its tags name no job',
      'Error: UnauthorizedOperation',
    ]);
  });

  test('counts what something else uses as kept', async () => {
    const memory = await twoPlaces();
    const report = await expireSnapshots(
      { snapshots: { list: (place) => memory.list(place), delete: async () => 'in-use' } },
      [frankfurt],
      now,
    );
    expect(report.deleted).toEqual([]);
    expect(report.kept).toMatchObject({ 'something else uses it': 2 });
  });
});
