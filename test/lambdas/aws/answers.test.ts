import { ExecutionAlreadyExists, TaskTimedOut } from '@aws-sdk/client-sfn';
import { describe, expect, test } from 'vitest';
import { PortError } from '../../../core/ports.ts';
import { locateFrom, perPlace } from '../../../lambdas/aws/place-clients.ts';
import { createSfnCallbacks } from '../../../lambdas/aws/sfn-callbacks.ts';
import { createSfnExecutions } from '../../../lambdas/aws/sfn-executions.ts';
import { createSnsNotices } from '../../../lambdas/aws/sns-notices.ts';
import { createTokenBucket } from '../../../lambdas/aws/token-bucket.ts';

const failing = (error: unknown) => () => Promise.reject(error);
const named = (name: string) => Object.assign(new Error(name), { name });
const metadata = { $metadata: {}, message: 'as the test says' };

describe('answers to waiting states', () => {
  const callbacks = (error?: unknown) => {
    const seen: unknown[] = [];
    const call = async (input: unknown) => {
      seen.push(input);
      if (error !== undefined) throw error;
    };
    return { seen, ...createSfnCallbacks({ sendTaskSuccess: call, sendTaskFailure: call }) };
  };

  test('are JSON, also when there is nothing to say', async () => {
    const { seen, succeed } = callbacks();
    expect(await succeed('token', undefined)).toBe('delivered');
    await succeed('token', { batchId: 'p-0001' });
    expect(seen).toEqual([
      { taskToken: 'token', output: 'null' },
      { taskToken: 'token', output: '{"batchId":"p-0001"}' },
    ]);
  });

  test.each([new TaskTimedOut(metadata), named('TaskDoesNotExist'), named('InvalidToken')])(
    'find nobody after %s, which is no failure',
    async (error) => {
      expect(await callbacks(error).succeed('token', {})).toBe('gone');
      expect(await callbacks(error).fail('token', 'DispatchLost', 'why')).toBe('gone');
    },
  );

  test('fail with anything else, so that they are given again', async () => {
    await expect(callbacks(named('ThrottlingException')).succeed('token', {})).rejects.toThrow('Throttling');
  });
});

describe('executions', () => {
  const arn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:campaign:live';

  test('that were started before are not started again, and nothing is wrong with that', async () => {
    const executions = createSfnExecutions(arn, {
      startExecution: failing(new ExecutionAlreadyExists(metadata)),
    });
    await expect(executions.start('campaign-0001', { campaignId: 'campaign-0001' })).resolves.toBeUndefined();
  });

  test('start on the alias, and say when they could not', async () => {
    const seen: unknown[] = [];
    const executions = createSfnExecutions(arn, { startExecution: async (input) => void seen.push(input) });
    await executions.start('campaign-0001', { campaignId: 'campaign-0001' });
    expect(seen).toEqual([
      { stateMachineArn: arn, name: 'campaign-0001', input: '{"campaignId":"campaign-0001"}' },
    ]);
    const broken = createSfnExecutions(arn, { startExecution: failing(named('StateMachineDoesNotExist')) });
    await expect(broken.start('campaign-0001', {})).rejects.toThrow('StateMachineDoesNotExist');
  });
});

test('a notice has a subject that SNS takes', async () => {
  const seen: { Subject?: string | undefined }[] = [];
  const notices = createSnsNotices('arn:aws:sns:eu-central-1:123456789012:notices', {
    publish: async (input) => void seen.push(input),
  });
  const notice = { id: 'c-closed', kind: 'campaign-closed' as const, campaignId: 'campaign-0001', text: '' };
  await notices.send({ ...notice, subject: `Größe\nof ${'x'.repeat(200)}` });
  expect(seen[0]?.Subject).toMatch(/^Gr\?e\?of x+$/);
  expect(seen[0]?.Subject).toHaveLength(99);
});

describe('the pace of calls', () => {
  const paced = () => {
    let now = 0;
    const waits: number[] = [];
    const take = createTokenBucket({
      perSecond: 5,
      burst: 5,
      stopwatch: () => now,
      wait: async (millis) => void waits.push(millis),
    });
    return { take, waits, pass: (millis: number) => (now += millis) };
  };

  test('lets a burst through at once, and the others one after the other', async () => {
    const { take, waits } = paced();
    await Promise.all(Array.from({ length: 8 }, take));
    expect(waits).toEqual([200, 400, 600]);
  });

  test('does not save more than a burst', async () => {
    const { take, waits, pass } = paced();
    pass(3_600_000);
    await Promise.all(Array.from({ length: 6 }, take));
    expect(waits).toEqual([200]);
  });
});

describe('places', () => {
  const home = { partition: 'aws', account: '111111111111', region: 'eu-central-1' };
  const assumed: string[] = [];
  const assume = (arn: string) => {
    assumed.push(arn);
    return { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  };

  test('of the own account need no role, in whatever Region', () => {
    expect(locateFrom(home, 'Member', assume)({ ...home, region: 'us-east-1' })).toEqual({
      region: 'us-east-1',
    });
    expect(assumed).toEqual([]);
  });

  test('of another account take the role of that account', () => {
    const { credentials } = locateFrom(home, 'Member', assume)({ ...home, account: '222222222222' });
    expect(credentials).toBeDefined();
    expect(assumed).toEqual(['arn:aws:iam::222222222222:role/Member']);
  });

  test('of another account are closed where no role is configured', () => {
    const locate = () => locateFrom(home, '', assume)({ ...home, account: '222222222222' });
    expect(locate).toThrow(PortError);
    expect(locate).toThrow('222222222222 is not 111111111111');
  });

  test('keep their clients', () => {
    const clientIn = perPlace((place) => ({ place }));
    expect(clientIn({ ...home })).toBe(clientIn({ ...home }));
    expect(clientIn({ ...home, region: 'us-east-1' })).not.toBe(clientIn(home));
  });
});
