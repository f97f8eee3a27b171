import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFolderNotices } from '../../../apps/local/folder-notices.ts';
import type { Notice, Notices } from '../../../core/ports.ts';
import { describeNotices } from '../../contracts/notices.contract.ts';

describeNotices('a folder of mails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-notices-'));
  const read = async (name: string) => noticeOf(await readFile(join(folder, name), 'utf8'));
  return {
    notices: createFolderNotices({ folder, clock: { now: () => Date.UTC(2026, 10, 21) } }),
    async arrived() {
      const names = await readdir(folder);
      const arrived = await Promise.all(names.map(read));
      await Promise.all(names.map((name) => rm(join(folder, name))));
      return arrived;
    },
    close: () => rm(folder, { recursive: true }),
  };
});

/** A mail program's view of it. */
function noticeOf(mail: string): Notice {
  const [head = '', ...body] = mail.split('\r\n\r\n');
  const headers = Object.fromEntries(head.split('\r\n').map((line) => line.split(/: (.*)/s)));
  return {
    id: headers['X-Quarterdeck-Notice'],
    kind: headers['X-Quarterdeck-Kind'],
    campaignId: headers['X-Quarterdeck-Campaign'],
    subject: headers.Subject,
    text: body.join('\r\n\r\n').replaceAll('\r\n', '\n').replace(/\n$/, ''),
  };
}

let folder: string;
let notices: Notices;
let now = Date.UTC(2026, 10, 21, 1, 0, 0);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-notices-'));
  notices = createFolderNotices({ folder: join(folder, 'notices'), clock: { now: () => now } });
});
afterEach(() => rm(folder, { recursive: true }));

const notice: Notice = {
  id: 'campaign-1/stopped',
  kind: 'campaign-stopped',
  campaignId: 'campaign-1',
  subject: 'Campaign 1 was stopped',
  text: 'The canary failed.\nNothing else was patched.',
};
const mails = async () => {
  const names = await readdir(join(folder, 'notices'));
  return Promise.all(names.map((name) => readFile(join(folder, 'notices', name), 'utf8')));
};

test('a notice is a mail, word by word', async () => {
  await notices.send(notice);
  expect(await readdir(join(folder, 'notices'))).toEqual(['campaign-1%2Fstopped.eml']);
  expect((await mails())[0]?.split('\r\n')).toEqual([
    'From: Quarterdeck <quarterdeck@localhost>',
    'To: Server owners <owners@localhost>',
    'Subject: Campaign 1 was stopped',
    'Date: Sat, 21 Nov 2026 01:00:00 +0000',
    expect.stringMatching(/^Message-ID: <[0-9a-f]{32}@quarterdeck\.localhost>$/),
    'X-Quarterdeck-Notice: campaign-1/stopped',
    'X-Quarterdeck-Kind: campaign-stopped',
    'X-Quarterdeck-Campaign: campaign-1',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'The canary failed.',
    'Nothing else was patched.',
    '',
  ]);
});

test('sent again, also at once, it is one mail, and the first', async () => {
  await notices.send(notice);
  now += 3600_000;
  await Promise.all(Array.from({ length: 5 }, () => notices.send({ ...notice, text: 'changed' })));
  const [only, ...rest] = await mails();
  expect(only).toContain('The canary failed.');
  expect(rest).toEqual([]);
});

test('different notices are different mails, however their ids look', async () => {
  const ids = ['a/b', 'a%2Fb', '../a', '.a', 'x'.repeat(300), `${'x'.repeat(300)}y`];
  for (const id of ids) await notices.send({ ...notice, id });
  expect(await mails()).toHaveLength(ids.length);
  expect(await readdir(folder)).toEqual(['notices']);
});

test('a subject beyond ASCII is encoded, in words that mail programs take', async () => {
  const subject = `Kampagne für größere Server \u{1f600} ${'ü'.repeat(40)}`;
  await notices.send({ ...notice, subject });
  const header = /^Subject: ((?:.|\r\n )+?)\r\n\S/m.exec((await mails())[0] ?? '')?.[1] ?? '';
  const words = header.split('\r\n ');
  expect(words.every((word) => word.length <= 75)).toBe(true);
  const decoded = words.map((word) => Buffer.from(word.slice('=?utf-8?B?'.length, -2), 'base64').toString());
  expect(decoded.join('')).toBe(subject);
});

test.each(['', 'x'.repeat(100), 'two\nlines', 'Subject\r\nBcc: everyone@localhost'])(
  'the subject %j is refused, as SNS would',
  async (subject) => {
    await expect(notices.send({ ...notice, subject })).rejects.toThrow(
      /is not one line of 1 to 99 characters/,
    );
  },
);

test('an id can not write headers of its own', async () => {
  await notices.send({
    ...notice,
    id: 'a\r\nBcc: everyone@localhost',
    campaignId: 'b\r\nBcc: everyone@localhost',
  });
  expect((await mails())[0]).not.toContain('Bcc:');
});
