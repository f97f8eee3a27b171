import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { answer, ask } from '../../core/call-message.ts';
import { functionNameIn, Refused } from '../../core/calls.ts';

/** As Lambda: JSON each way, and no more than 6 MB of it. */
function wire(run: (input: unknown) => Promise<unknown>) {
  const objects = createMemoryObjects('bucket', 'eu-central-1');
  const sizes: number[] = [];
  const json = (value: unknown) => {
    const text = JSON.stringify(value);
    sizes.push(text.length);
    if (text.length > 6 * 1024 * 1024) throw new Error(`${text.length} bytes are too many for Lambda`);
    return JSON.parse(text);
  };
  const send = async (event: unknown) => json(await answer(objects, json(event), run));
  return { send, sizes };
}

/** Text that gzip makes no smaller than three quarters. */
const noise = (bytes: number) => randomBytes((bytes * 3) / 4).toString('base64');

describe('a call', () => {
  test('that is small travels as it is, so that people can send it by hand', async () => {
    const { send, sizes } = wire(async (input) => ({ echo: input }));
    expect(await ask(send, { view: 'servers' })).toEqual({ echo: { view: 'servers' } });
    expect(await send({ view: 'servers' })).toEqual({ answer: { echo: { view: 'servers' } } });
    expect(sizes[0]).toBe('{"view":"servers"}'.length);
  });

  test.each([
    [100_000, 10],
    [10, 100_000],
    [12_000_000, 10],
    [10, 12_000_000],
    [12_000_000, 12_000_000],
  ])('of %i bytes and its answer of %i arrive whole', async (asked, answered) => {
    const [question, reply] = [{ text: noise(asked) }, { text: noise(answered) }];
    const seen: unknown[] = [];
    const { send } = wire(async (input) => {
      seen.push(input);
      return reply;
    });
    expect(await ask(send, question)).toEqual(reply);
    expect(seen).toEqual([question]);
  });

  test.each([10, 12_000_000])('of %i bytes that is refused is refused for whoever asked', async (bytes) => {
    const { send } = wire(() => Promise.reject(new Refused('second-schedule', 'web-1 has one')));
    const refused = ask(send, { text: noise(bytes) });
    await expect(refused).rejects.toThrow(Refused);
    await expect(refused).rejects.toMatchObject({ code: 'second-schedule', message: 'web-1 has one' });
  });

  test('that fails fails', async () => {
    const { send } = wire(() => Promise.reject(new Error('no table')));
    await expect(ask(send, {})).rejects.toThrow('no table');
  });

  test('of a function that answers everybody is understood without a wrapper', async () => {
    expect(await ask(async () => ({ created: 1 }), {})).toEqual({ created: 1 });
    expect(await ask(async () => null, {})).toBeNull();
  });

  test('whose input is none that is understood is refused, with what is wrong of it', async () => {
    const { send } = wire(async (input) => z.object({ view: z.string() }).parse(input));
    await expect(ask(send, {})).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('view'),
    });
  });

  test('whose pieces are gone is to be asked again', async () => {
    const { send } = wire(async () => 'never');
    const piece = send({ message: 'fetch', id: 'a'.repeat(64), index: 0 });
    await expect(piece).rejects.toThrow('ask again');
  });
});

test('functions that people call have names that are known before the stack is', () => {
  expect(functionNameIn('Quarterdeck', 'import-servers')).toBe('Quarterdeck-import-servers');
  expect(functionNameIn('A'.repeat(64), 'import-servers')).toHaveLength(64);
});
