import { describe, expect, test } from 'vitest';
import { settleQueue } from '../../lambdas/settle-queue.ts';

const message = (messageId: string, body: unknown) => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const about = (commandId: string) => ({
  source: 'aws.ssm',
  detail: { 'command-id': commandId, status: 'Success' },
});

async function deliver(records: unknown[], failing: readonly string[] = []) {
  const settled: string[] = [];
  const told: string[] = [];
  const answer = await settleQueue(
    { Records: records },
    async (commandId) => {
      settled.push(commandId);
      if (failing.includes(commandId)) throw new Error(`${commandId} is not recorded`);
    },
    ({ message }) => told.push(message),
  );
  return { settled, told, again: answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
}

describe('a delivery of the queue', () => {
  test('looks once at each command, however many of its events there are', async () => {
    const records = ['1', '2', '3'].map((id) => message(id, about(id === '3' ? 'b' : 'a')));
    expect(await deliver(records)).toEqual({ settled: ['a', 'b'], told: [], again: [] });
  });

  test('has only the events come again whose command could not be settled', async () => {
    const records = [message('1', about('a')), message('2', about('b')), message('3', about('b'))];
    const { again, told } = await deliver(records, ['b']);
    expect(again).toEqual(['2', '3']);
    expect(told[0]).toContain('b is not recorded');
  });

  test('has all of them come again when none could be settled, without failing', async () => {
    expect((await deliver([message('1', about('a'))], ['a'])).again).toEqual(['1']);
  });

  test.each([
    ['no JSON', 'Success'],
    ['no command', { detail: { status: 'Success' } }],
  ])('lets an event with %s go to the dead letters, and settles the others', async (_, body) => {
    const { settled, again } = await deliver([message('1', body), message('2', about('a'))]);
    expect({ settled, again }).toEqual({ settled: ['a'], again: ['1'] });
  });

  test('refuses what is no delivery', async () => {
    const settle = async () => {};
    await expect(settleQueue({ detail: about('a') }, settle, () => {})).rejects.toThrow('Records');
    await expect(settleQueue({ Records: [{ body: '{}' }] }, settle, () => {})).rejects.toThrow('message');
  });
});
