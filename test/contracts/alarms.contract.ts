/** Owns what looking at alarms must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlarmState, Alarms } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';

export interface AlarmsUnderTest {
  readonly alarms: Alarms;
  readonly place: Place;
  /** Makes an alarm, or gives the one there is another state. */
  set(name: string, kind: 'metric' | 'composite', state: Exclude<AlarmState, 'missing'>): Promise<void>;
  close(): Promise<void>;
}

export function describeAlarms(name: string, open: () => Promise<AlarmsUnderTest>): void {
  describe(`alarms on ${name}`, () => {
    let opened: AlarmsUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const states = async (...names: string[]) =>
      Object.fromEntries(await opened.alarms.states(opened.place, names));

    test.each(['ok', 'alarm', 'insufficient-data'] as const)(
      'one of a metric is seen to be %s',
      async (state) => {
        await opened.set('errors of web', 'metric', state);
        expect(await states('errors of web')).toEqual({ 'errors of web': state });
      },
    );

    test('composite alarms are seen beside those of metrics', async () => {
      await opened.set('errors', 'metric', 'ok');
      await opened.set('service', 'composite', 'alarm');
      expect(await states('errors', 'service')).toEqual({ errors: 'ok', service: 'alarm' });
    });

    test('one that nobody made is missing, as is one of another place', async () => {
      await opened.set('here', 'metric', 'ok');
      expect(await states('here', 'nowhere')).toEqual({ here: 'ok', nowhere: 'missing' });
      const elsewhere = { ...opened.place, region: 'eu-west-3' };
      expect([...(await opened.alarms.states(elsewhere, ['here'])).values()]).toEqual(['missing']);
    });

    test('more are answered for than one call takes', async () => {
      const names = Array.from({ length: 120 }, (_, index) => `many-${String(index).padStart(3, '0')}`);
      await opened.set('many-119', 'metric', 'alarm');
      const found = await states(...names);
      expect(Object.keys(found)).toHaveLength(120);
      expect(found['many-119']).toBe('alarm');
    });

    test('no names are no question', async () => {
      expect(await states()).toEqual({});
    });
  });
}
