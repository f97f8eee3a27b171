import { describe, expect, test } from 'vitest';
import { inParallel } from '../../core/parallel.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('many things at a time', () => {
  test('are never more than the limit, and their results have the order of the items', async () => {
    let running = 0;
    let most = 0;
    const results = await inParallel([5, 1, 4, 2, 3, 0], 3, async (turns) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < turns; i++) await turn();
      running--;
      return turns * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30, 0]);
    expect(most).toBe(3);
  });

  test('stop with the first failure: nothing more is started', async () => {
    const started: number[] = [];
    const work = async (item: number) => {
      started.push(item);
      await turn();
      if (item === 1) throw new Error('item 1 failed');
    };
    await expect(inParallel([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow('item 1 failed');
    await turn();
    await turn();
    expect(started.length).toBeLessThan(6);
  });

  test('are none where there are no items', async () => {
    expect(await inParallel([], 4, async () => 1)).toEqual([]);
  });
});
