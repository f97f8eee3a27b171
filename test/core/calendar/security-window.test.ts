import { describe, expect, it } from 'vitest';
import { type CalendarPolicy, calendarPolicies } from '../../../core/calendar/calendar-policy.ts';
import { type SecurityQuestion, securityWindow } from '../../../core/calendar/security-window.ts';

const policy = calendarPolicies({ production: { securityWithinDays: 10 } }).policies.get(
  'production',
) as CalendarPolicy;

function ask(more: Partial<SecurityQuestion> = {}) {
  return securityWindow({
    policy,
    zone: 'Europe/Berlin',
    released: '2026-12-01T10:00:00.000Z',
    now: '2026-12-01T12:00:00.000Z',
    freezes: [],
    holidays: [],
    ...more,
  });
}

describe('the security lane', () => {
  it('takes the first allowed window within its days, whatever the cadence', () => {
    expect(ask()).toMatchObject({ slot: { localStart: '2026-12-05T00:00:00+01:00' } });
    expect(ask({ now: '2026-12-04T12:00:00.000Z' })).toMatchObject({
      slot: { localStart: '2026-12-06T00:00:00+01:00' },
    });
  });

  it('names its campaign by the quarter of the day', () => {
    const over = ask({ released: '2027-01-30T00:00:00.000Z', now: '2027-02-01T00:00:00.000Z' });
    expect(over).toMatchObject({ slot: { localStart: '2027-02-06T00:00:00+01:00', policy: 'production' } });
  });

  it('goes round freezes and holidays', () => {
    const holidays = [{ date: '2026-12-05', name: 'St Nicholas' }];
    expect(ask({ holidays })).toMatchObject({ slot: { localStart: '2026-12-06T00:00:00+01:00' } });
  });

  it('says when nothing is left, and why', () => {
    const freezes = [{ from: '2026-12-05', to: '2026-12-20', reason: 'sale' }];
    expect(ask({ freezes })).toEqual({
      problem: {
        code: 'no-room',
        message: expect.stringContaining('Saturday 2026-12-05 00:00 in Europe/Berlin freeze "sale"'),
      },
    });
    expect(ask({ now: '2026-12-20T00:00:00.000Z' })).toMatchObject({
      problem: { message: expect.stringContaining('they are over') },
    });
  });

  it('is there only where the policy asks for it', () => {
    expect(ask({ policy: { ...policy, securityWithinDays: undefined } })).toBeUndefined();
  });
});
