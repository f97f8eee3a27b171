/** Owns what every way to people must do with a notice; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notice, Notices } from '../../core/ports.ts';

export interface NoticesUnderTest {
  readonly notices: Notices;
  /** What has arrived since the last time, in any order. */
  arrived(): Promise<readonly Notice[]>;
  close(): Promise<void>;
}

const notice = (changes: Partial<Notice> = {}): Notice => ({
  id: 'campaign-1/stopped',
  kind: 'campaign-stopped',
  campaignId: 'campaign-1',
  subject: 'Campaign 1 was stopped',
  text: 'The canary failed.\nNothing else was patched.',
  ...changes,
});

export function describeNotices(name: string, open: () => Promise<NoticesUnderTest>): void {
  describe(`notices on ${name}`, () => {
    let opened: NoticesUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());

    const arrives = async (sent: Notice) => {
      await opened.notices.send(sent);
      return opened.arrived();
    };

    test('what is sent arrives, and says what it is about', async () => {
      const sent = notice();
      expect(await arrives(sent)).toEqual([sent]);
    });

    test.each(['campaign-opened', 'approval-asked', 'campaign-stopped', 'campaign-closed'] as const)(
      'a notice of the kind %s is known as one',
      async (kind) => {
        const sent = notice({ id: `campaign-1/${kind}/again`, kind });
        expect(await arrives(sent)).toEqual([sent]);
      },
    );

    test('a subject of 99 characters arrives whole', async () => {
      const sent = notice({ id: 'long subject', subject: 'x'.repeat(99) });
      expect(await arrives(sent)).toEqual([sent]);
    });

    test('a text in any language arrives as it was, also a long one', async () => {
      const sent = notice({ id: 'long text', text: `größere Server \u{1f600}\n${'line\n'.repeat(4000)}end` });
      expect(await arrives(sent)).toEqual([sent]);
    });

    test('of different notices none is taken for another, however alike they are', async () => {
      await opened.notices.send(notice({ id: 'a/b' }));
      await opened.notices.send(notice({ id: 'a%2Fb' }));
      expect((await opened.arrived()).map(({ id }) => id).toSorted()).toEqual(['a%2Fb', 'a/b']);
    });

    test('sent again it has the same id, by which a receiver drops it', async () => {
      const sent = notice({ id: 'twice' });
      await opened.notices.send(sent);
      await opened.notices.send(sent);
      expect(new Set((await opened.arrived()).map(({ id }) => id))).toEqual(new Set(['twice']));
    });
  });
}
