/** Owns what one-time schedules must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OneTimeSchedule, OneTimeSchedules } from '../../core/ports.ts';

export interface SchedulesUnderTest {
  readonly schedules: OneTimeSchedules;
  close(): Promise<void>;
}

const at = '2036-11-21T00:00:00.000Z';
const later = '2036-11-22T01:30:00.000Z';

const scheduleOf = (name: string, changes: Partial<OneTimeSchedule> = {}): OneTimeSchedule => ({
  name,
  at,
  input: { campaignId: name, quarter: '2037-Q1', window: { zone: 'Europe/Zürich' } },
  ...changes,
});

/** @param anyName why an imitation takes a name that the service refuses; asserted */
export function describeSchedules(
  name: string,
  open: () => Promise<SchedulesUnderTest>,
  { anyName }: { readonly anyName?: string } = {},
): void {
  describe(`one-time schedules on ${name}`, () => {
    let opened: SchedulesUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const found = async (...names: string[]) =>
      (await opened.schedules.list())
        .filter((schedule) => names.includes(schedule.name))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));

    test('what is created is listed with its moment and its input', async () => {
      await opened.schedules.create(scheduleOf('created'));
      expect(await found('created')).toEqual([scheduleOf('created')]);
    });

    test('creating the same again changes nothing', async () => {
      await opened.schedules.create(scheduleOf('again'));
      await opened.schedules.create(scheduleOf('again'));
      expect(await found('again')).toEqual([scheduleOf('again')]);
    });

    test('creating another of the name makes it that one', async () => {
      await opened.schedules.create(scheduleOf('other'));
      await opened.schedules.create(scheduleOf('other', { at: later, input: { changed: true } }));
      expect(await found('other')).toEqual([scheduleOf('other', { at: later, input: { changed: true } })]);
    });

    test('what is updated has the new moment and input', async () => {
      await opened.schedules.create(scheduleOf('moved'));
      await opened.schedules.update(scheduleOf('moved', { at: later, input: ['text', 1, null] }));
      expect(await found('moved')).toEqual([scheduleOf('moved', { at: later, input: ['text', 1, null] })]);
    });

    test('updating what is not there creates it', async () => {
      await opened.schedules.update(scheduleOf('updated'));
      expect(await found('updated')).toEqual([scheduleOf('updated')]);
    });

    test('what is deleted is there no more, and can be deleted again and created again', async () => {
      await opened.schedules.create(scheduleOf('deleted'));
      await opened.schedules.delete('deleted');
      await opened.schedules.delete('deleted');
      expect(await found('deleted')).toEqual([]);
      await opened.schedules.create(scheduleOf('deleted', { at: later }));
      expect(await found('deleted')).toEqual([scheduleOf('deleted', { at: later })]);
    });

    test('all are listed, however many pages they are', async () => {
      const names = Array.from({ length: 130 }, (_, index) => `many-${String(index).padStart(3, '0')}`);
      for (const each of names) await opened.schedules.create(scheduleOf(each));
      expect((await found(...names)).map((schedule) => schedule.name)).toEqual(names);
    });

    test('a name of 64 characters is taken', async () => {
      const longest = `long-${'x'.repeat(59)}`;
      await opened.schedules.create(scheduleOf(longest));
      expect(await found(longest)).toHaveLength(1);
    });

    (anyName ? test.fails : test)('a name that is too long is refused', async () => {
      await expect(opened.schedules.create(scheduleOf('x'.repeat(65)))).rejects.toThrow();
    });
  });
}
