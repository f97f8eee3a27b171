import { describe, expect, test } from 'vitest';
import { localTime } from '../../../../apps/local/report/local-time.ts';

describe('local time', () => {
  test('is that of the zone, winter and summer', () => {
    const berlin = localTime('Europe/Berlin');
    expect(berlin.minute('2026-11-21T22:00:00.000Z')).toBe('Sat 21 Nov 2026, 23:00');
    expect(berlin.offset('2026-11-21T22:00:00.000Z')).toBe('UTC+01:00');
    expect(berlin.minute('2026-07-21T22:30:00.000Z')).toBe('Wed 22 Jul 2026, 00:30');
    expect(berlin.offset('2026-07-21T22:30:00.000Z')).toBe('UTC+02:00');
  });

  test('names both days of a window over midnight, and one day once', () => {
    const kathmandu = localTime('Asia/Kathmandu');
    expect(kathmandu.span('2026-11-21T16:15:00.000Z', '2026-11-21T20:15:00.000Z')).toBe(
      'Sat 21 Nov 2026, 22:00 – Sun 22 Nov, 02:00',
    );
    expect(kathmandu.span('2026-11-21T20:15:00.000Z', '2026-11-21T21:15:00.000Z')).toBe(
      'Sun 22 Nov 2026, 02:00–03:00',
    );
  });

  test('is UTC, and says so, where the zone is not known', () => {
    const mars = localTime('Mars/Base');
    expect(mars.second('2026-11-21T22:00:07.000Z')).toBe('22:00:07');
    expect(mars.zone).toBe('UTC (Mars/Base is not a zone that is known here)');
  });
});
