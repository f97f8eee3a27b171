import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addClaim, addRestart, addRollback, type HaClaim, type Standing } from '../../core/ha-claim.ts';
import { isEnded, type JobState, jobStateSchema } from '../../core/job.ts';
import { jobOf, serverId } from '../support/samples.ts';

const at = '2026-11-21T22:00:00.000Z';
const later = '2026-11-21T23:00:00.000Z';
const claimOf = (member: number, campaignId = 'campaign-0001', quarter = '2027-Q1'): HaClaim => ({
  serverId: serverId(member),
  name: `db-${member}`,
  campaignId,
  policy: 'production',
  quarter,
  at,
});
const standing = (
  claim: HaClaim,
  state: JobState,
  { touched = true, acknowledgedAt }: { touched?: boolean; acknowledgedAt?: string } = {},
): Standing => ({
  claim,
  job: jobOf({
    state,
    history: [{ state, at: later }],
    dispatched: touched ? { at, online: true } : null,
  }),
  acknowledgedAt,
});
const mine = claimOf(1, 'campaign-0002');
const add = (...standings: Standing[]) => addClaim('orders', standings, mine);
const codeOf = (answer: ReturnType<typeof add>) => ('reason' in answer ? answer.reason.code : 'claimed');

describe('a member of an HA group that is to go back', () => {
  const back = (...standings: Standing[]) => addRollback('orders', standings, mine);

  test('waits for one that is under way, and for none that has ended, however it did', () => {
    for (const state of jobStateSchema.options)
      expect(codeOf(back(standing(claimOf(2), state))), state).toBe(
        isEnded(state) ? 'claimed' : 'ha-peer-under-way',
      );
  });

  test('leaves what others have claimed, and its own before', () => {
    const others = [standing(claimOf(2), 'failed'), standing(claimOf(1), 'succeeded')];
    expect(back(...others)).toEqual({ claims: [mine, claimOf(2), claimOf(1)] });
    expect(back(standing(mine, 'succeeded'), ...others)).toEqual({ claims: [mine, claimOf(2), claimOf(1)] });
  });
});

describe('a member of an HA group that is to be restarted', () => {
  const restart = (...standings: Standing[]) => addRestart('orders', standings, { ...mine, quarter: '' });

  test('waits for one that is under way or ended badly, in whatever quarter, until somebody has looked at it', () => {
    const peer = claimOf(2, 'campaign-0001', '2024-Q3');
    expect(codeOf(restart(standing(peer, 'patching')))).toBe('ha-peer-under-way');
    expect(codeOf(restart(standing(peer, 'failed')))).toBe('ha-peer-not-healthy');
    expect(codeOf(restart(standing(peer, 'failed', { acknowledgedAt: '2027-01-01T00:00:00.000Z' })))).toBe(
      'claimed',
    );
    expect(codeOf(restart(standing(peer, 'succeeded')))).toBe('claimed');
  });
});

describe('a member of an HA group', () => {
  test('claims a group that nobody has claimed', () => {
    expect(add()).toEqual({ claims: [mine] });
  });

  test.each<JobState>(['ready', 'patching', 'verifying', 'rolling-back', 'preparing', 'planned'])(
    'waits for one that is %s, in whatever campaign and quarter',
    (state) => {
      for (const quarter of ['2027-Q1', '2026-Q4']) {
        const answer = add(standing(claimOf(2, 'campaign-0001', quarter), state));
        expect(answer).toMatchObject({ reason: { code: 'ha-peer-under-way' } });
        expect(JSON.stringify(answer)).toMatch(/db-2 of HA group orders.*campaign-0001/);
      }
    },
  );

  test.each<JobState>(['succeeded', 'nothing-to-do'])('follows one that %s, whose claim is over', (state) => {
    expect(add(standing(claimOf(2), state))).toEqual({ claims: [mine] });
  });

  test.each(
    jobStateSchema.options.filter(
      (state) => isEnded(state) && !['succeeded', 'nothing-to-do'].includes(state),
    ),
  )('does not follow one that was touched and ended as %s', (state) => {
    expect(codeOf(add(standing(claimOf(2), state)))).toBe('ha-peer-not-healthy');
    expect(codeOf(add(standing(claimOf(2), state, { touched: false })))).toBe('claimed');
  });

  test('is not held up by what ended badly in another quarter, nor by what a person has looked at since', () => {
    expect(codeOf(add(standing(claimOf(2, 'campaign-0001', '2026-Q4'), 'failed')))).toBe('claimed');
    expect(codeOf(add(standing(claimOf(2), 'failed', { acknowledgedAt: later })))).toBe('claimed');
    expect(codeOf(add(standing(claimOf(2), 'failed', { acknowledgedAt: at })))).toBe('ha-peer-not-healthy');
  });

  test('may be patched again when it ended badly itself, and counts as bad for the others until it is well', () => {
    const failed = standing(claimOf(1), 'failed');
    const again = add(failed);
    expect(again).toEqual({ claims: [mine, failed.claim] });
    // Taken out before its second patch was sent: it is as bad as it was.
    const untouched = standing(mine, 'held', { touched: false });
    const other = (...standings: Standing[]) => codeOf(addClaim('orders', standings, claimOf(2)));
    expect(other(untouched, failed)).toBe('ha-peer-not-healthy');
    expect(other(standing(mine, 'succeeded'), failed)).toBe('claimed');
  });

  test('that is under way in another campaign is not claimed by a second', () => {
    expect(codeOf(add(standing(claimOf(1), 'patching')))).toBe('ha-peer-under-way');
  });

  test('that claimed before, and whose dispatcher died, claims again', () => {
    expect(add(standing(mine, 'ready', { touched: false }))).toEqual({ claims: [mine] });
  });

  test('whatever happened before, never joins a peer that is under way, and grows no list', () => {
    const state = fc.constantFrom(...jobStateSchema.options);
    const events = fc.array(
      fc.record({ member: fc.integer({ min: 1, max: 3 }), state, touched: fc.boolean() }),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(events, (all) => {
        let standings: Standing[] = [];
        for (const [index, event] of all.entries()) {
          const claim = claimOf(event.member, `campaign-${String(index).padStart(4, '0')}`);
          const answer = addClaim('orders', standings, claim);
          if ('reason' in answer) continue;
          const open = standings.filter(({ job }) => !isEnded(job.state));
          expect(open).toEqual([]);
          const known = new Map(standings.map((each) => [each.claim.campaignId, each]));
          standings = answer.claims.map(
            (each) => known.get(each.campaignId) ?? standing(each, event.state, { touched: event.touched }),
          );
          expect(standings.length).toBeLessThanOrEqual(2);
        }
      }),
    );
  });
});
