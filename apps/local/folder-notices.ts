/** Owns notices on the embedded host: a folder of mails that any mail program opens and any pager shows. */
import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import type { Notice, Notices } from '../../core/ports.ts';

export interface FolderNoticesOptions {
  /** Made when it is not there. */
  readonly folder: string;
  readonly clock: { now(): number };
}

/** A notice that is sent again changes nothing: the mail of the first time stays. */
export function createFolderNotices({ folder, clock }: FolderNoticesOptions): Notices {
  return {
    async send(notice) {
      checkSubject(notice.subject);
      const draft = join(folder, `.${randomUUID()}`);
      await mkdir(folder, { recursive: true });
      await writeFile(draft, mail(notice, clock.now()));
      try {
        // Whole or not at all, and never over a mail that is there.
        await link(draft, join(folder, fileName(notice.id)));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      } finally {
        await rm(draft);
      }
    },
  };
}

/** What SNS takes, so that a subject which is good here is good there. */
function checkSubject(subject: string): void {
  const control = [...subject].some((character) => character < ' ' || character === '\u007f');
  if (subject.length === 0 || subject.length >= 100 || control) {
    throw new Error(`subject ${JSON.stringify(subject)} is not one line of 1 to 99 characters: shorten it`);
  }
}

function fileName(id: string): string {
  const plain = encodeURIComponent(id).replace(/^\./, '%2E');
  return `${plain.length > 200 ? createHash('sha256').update(id).digest('hex') : plain}.eml`;
}

function mail(notice: Notice, now: number): string {
  const headers = [
    'From: Quarterdeck <quarterdeck@localhost>',
    'To: Server owners <owners@localhost>',
    `Subject: ${encodedWords(notice.subject)}`,
    `Date: ${DateTime.fromMillis(now, { zone: 'utc' }).toRFC2822()}`,
    `Message-ID: <${createHash('sha256').update(notice.id).digest('hex').slice(0, 32)}@quarterdeck.localhost>`,
    `X-Quarterdeck-Notice: ${encodedWords(notice.id)}`,
    `X-Quarterdeck-Kind: ${notice.kind}`,
    ...(notice.campaignId === null ? [] : [`X-Quarterdeck-Campaign: ${encodedWords(notice.campaignId)}`]),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  const text = notice.text.replace(/\r?\n/g, '\r\n');
  return `${headers.join('\r\n')}\r\n\r\n${text}${text.endsWith('\n') ? '' : '\r\n'}`;
}

/** RFC 2047: what is not plain ASCII travels as base64, in words of at most 75 characters. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ');
}
