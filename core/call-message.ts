/** Owns how a question and its answer travel: as they are while they are small, else in pieces, as Lambda takes 6 MB. */
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { Refused } from './calls.ts';
import { sha256Of } from './plan.ts';
import type { Objects } from './ports.ts';

/** Of gzip; a third more as text. Lambda's limit for question and answer is 6 MB each. */
const pieceBytes = 3 * 1024 * 1024;
/** Of JSON that is sent as it is, so that logs and people can read it. */
const plainBytes = 64 * 1024;

const messageId = z.string().regex(/^[0-9a-f]{64}$/);
const most = 1000;
const pieceNumber = z.number().int().min(0).max(most);
const base64 = z.string().regex(/^[A-Za-z0-9+/]*=*$/);

/** What is sent instead of what is said; anything else is what is said. */
const wrapped = z.discriminatedUnion('message', [
  /** All of it. */
  z.object({ message: z.literal('whole'), gzip: base64 }),
  /** One piece, to be kept until the last has come. */
  z.object({ message: z.literal('piece'), id: messageId, index: pieceNumber, gzip: base64 }),
  /** All pieces have been sent, or, as an answer, can be fetched. */
  z.object({ message: z.literal('pieces'), id: messageId, count: pieceNumber }),
  /** Asks for a piece of an answer. */
  z.object({ message: z.literal('fetch'), id: messageId, index: pieceNumber }),
]);
type Wrapped = z.infer<typeof wrapped>;

/** Of the JSON; what says more with 3 MB of gzip was made to fill a memory. */
const longestText = 400 * 1024 * 1024;

/** Sends one event and brings what came back: an invocation of a function. */
export type Send = (event: unknown) => Promise<unknown>;

const refusedSchema = z.object({ refused: z.object({ code: z.string(), message: z.string() }) });

/**
 * Functions that others call, too, answer without a wrapper, and so must everybody understand them.
 *
 * @throws Refused, as the other side did
 */
export async function ask(send: Send, input: unknown): Promise<unknown> {
  const answer = await fetchAll(send, await sendAll(send, JSON.stringify(input)));
  const no = refusedSchema.safeParse(answer);
  if (no.success) throw new Refused(no.data.refused.code, no.data.refused.message);
  const isWrapped = typeof answer === 'object' && answer !== null && 'answer' in answer;
  return isWrapped ? answer.answer : answer;
}

async function sendAll(send: Send, text: string): Promise<unknown> {
  if (text.length <= plainBytes) return send(JSON.parse(text));
  const { id, pieces } = piecesOf(text);
  const [first = ''] = pieces;
  if (pieces.length === 1) return send({ message: 'whole', gzip: first } satisfies Wrapped);
  for (const [index, gzip] of pieces.entries())
    await send({ message: 'piece', id, index, gzip } satisfies Wrapped);
  return send({ message: 'pieces', id, count: pieces.length } satisfies Wrapped);
}

async function fetchAll(send: Send, answer: unknown): Promise<unknown> {
  const read = wrapped.safeParse(answer);
  if (!read.success) return answer;
  if (read.data.message === 'whole') return unpacked([Buffer.from(read.data.gzip, 'base64')]);
  if (read.data.message !== 'pieces') throw new Error(`a function answered with a ${read.data.message}`);
  const { id, count } = read.data;
  const pieces: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    const piece = wrapped.parse(await send({ message: 'fetch', id, index } satisfies Wrapped));
    if (piece.message !== 'whole') throw new Error(`a function answered with a ${piece.message}`);
    pieces.push(Buffer.from(piece.gzip, 'base64'));
  }
  return unpacked(pieces);
}

/**
 * The other side: keeps pieces until they are all there, calls `run` with what was said, and cuts what it answers.
 *
 * @param objects forget what lies under `calendar/messages/` after a day
 */
export async function answer(
  objects: Objects,
  event: unknown,
  run: (input: unknown) => Promise<unknown>,
): Promise<unknown> {
  const read = wrapped.safeParse(event);
  if (!read.success) return pack(objects, await answerOf(run, event));
  const said = read.data;
  switch (said.message) {
    case 'whole':
      return pack(objects, await answerOf(run, unpacked([Buffer.from(said.gzip, 'base64')])));
    case 'piece':
      await objects.put(pieceKey(said.id, said.index), Buffer.from(said.gzip, 'base64'));
      return { answer: null };
    case 'fetch':
      return {
        message: 'whole',
        gzip: Buffer.from(await pieceAt(objects, said.id, said.index)).toString('base64'),
      };
    case 'pieces': {
      const pieces = [];
      for (let index = 0; index < said.count; index++) pieces.push(await pieceAt(objects, said.id, index));
      return pack(objects, await answerOf(run, unpacked(pieces)));
    }
  }
}

async function answerOf(run: (input: unknown) => Promise<unknown>, input: unknown): Promise<unknown> {
  try {
    return { answer: await run(input) };
  } catch (error) {
    // For whoever asked, and no failure of ours.
    if (error instanceof Refused) return { refused: { code: error.code, message: error.message } };
    if (error instanceof z.ZodError)
      return { refused: { code: 'invalid-input', message: z.prettifyError(error) } };
    throw error;
  }
}

async function pack(objects: Objects, value: unknown): Promise<unknown> {
  const text = JSON.stringify(value);
  if (text.length <= plainBytes) return value;
  const { id, pieces } = piecesOf(text);
  if (pieces.length === 1) return { message: 'whole', gzip: pieces[0] };
  for (const [index, piece] of pieces.entries())
    await objects.put(pieceKey(id, index), Buffer.from(piece, 'base64'));
  return { message: 'pieces', id, count: pieces.length };
}

function piecesOf(text: string): { id: string; pieces: string[] } {
  const gzip = gzipSync(text);
  const pieces: string[] = [];
  for (let at = 0; at < gzip.length; at += pieceBytes)
    pieces.push(gzip.subarray(at, at + pieceBytes).toString('base64'));
  return { id: sha256Of(text), pieces };
}

async function pieceAt(objects: Objects, id: string, index: number): Promise<Uint8Array> {
  const piece = await objects.get(pieceKey(id, index));
  if (piece === undefined)
    throw new Error(`piece ${index} of message ${id} is not there any more: ask again`);
  return piece;
}

function unpacked(pieces: readonly Uint8Array[]): unknown {
  return JSON.parse(gunzipSync(Buffer.concat(pieces), { maxOutputLength: longestText }).toString('utf8'));
}

const pieceKey = (id: string, index: number) => `calendar/messages/${id}/${index}.gz`;
