/** Owns what starting a campaign's execution must do; run it on each adapter of the port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Executions } from '../../core/ports.ts';

export interface ExecutionsUnderTest {
  readonly executions: Executions;
  /** Inputs of all executions with this name. */
  inputs(name: string): Promise<readonly unknown[]>;
  /** Resolves when that execution has ended. */
  end(name: string): Promise<void>;
  close(): Promise<void>;
}

/** @param anyName why an imitation of Step Functions takes a name that the service refuses; asserted */
export function describeExecutions(
  name: string,
  open: () => Promise<ExecutionsUnderTest>,
  { anyName }: { readonly anyName?: string } = {},
): void {
  describe(`executions on ${name}`, () => {
    let opened: ExecutionsUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());

    test('an execution has its name and its input', async () => {
      const input = { campaignId: 'spring-2027-größer' };
      await opened.executions.start('spring-2027', input);
      expect(await opened.inputs('spring-2027')).toEqual([input]);
    });

    test('starting it again while it runs changes nothing', async () => {
      await opened.executions.start('running', { campaignId: 'running' });
      await opened.executions.start('running', { campaignId: 'running' });
      expect(await opened.inputs('running')).toEqual([{ campaignId: 'running' }]);
    });

    test('starting it again when it has ended changes nothing', async () => {
      await opened.executions.start('ended', { campaignId: 'ended' });
      await opened.end('ended');
      await opened.executions.start('ended', { campaignId: 'ended' });
      expect(await opened.inputs('ended')).toEqual([{ campaignId: 'ended' }]);
    });

    (anyName ? test.fails : test)('what can not be started says so', async () => {
      await expect(opened.executions.start('no:name', {})).rejects.toThrow();
    });
  });
}
