import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../apps/local/asl/engine.ts';
import { engineCallbacks, engineExecutions } from '../../../apps/local/callbacks.ts';
import { createClock } from '../../../apps/local/clock.ts';
import { describeCallbacks } from '../../contracts/callbacks.contract.ts';
import { describeExecutions } from '../../contracts/executions.contract.ts';

/** One state that waits a minute for an answer to its token. */
const definition = {
  QueryLanguage: 'JSONata',
  StartAt: 'Ask',
  States: {
    Ask: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } },
      TimeoutSeconds: 60,
      End: true,
    },
  },
};

async function createWaiting() {
  const clock = createClock(0, () => 0);
  const tokens: string[] = [];
  const engine = createEngine({
    clock,
    random: Math.random,
    invoke: async (_name, payload) => void tokens.push((payload as { token: string }).token),
    objects: { get: async () => '', put: async () => {} },
  });
  engine.load('machine', definition);
  const executions = engineExecutions(engine, 'machine');
  await executions.start('one', { campaign: 'one' });
  await new Promise<void>((resolve) => clock.at(1000, resolve));
  const execution = engine.execution('one');
  if (!execution || !tokens[0]) throw new Error('the execution does not wait for its token');
  return {
    clock,
    engine,
    executions,
    execution,
    tokens,
    token: tokens[0],
    callbacks: engineCallbacks(engine),
  };
}

describeCallbacks('the engine', async () => {
  const begun = new Map<string, Awaited<ReturnType<typeof createWaiting>>>();
  const of = (token: string) => {
    const waiting = begun.get(token);
    if (!waiting) throw new Error(`nobody waits with ${token}`);
    return waiting;
  };
  const answer = (token: string) => (begun.get(token) ?? [...begun.values()][0])?.callbacks;
  return {
    callbacks: {
      succeed: async (token, output) => (await answer(token)?.succeed(token, output)) ?? 'gone',
      fail: async (token, error, cause) => (await answer(token)?.fail(token, error, cause)) ?? 'gone',
    },
    async wait() {
      const waiting = await createWaiting();
      // Otherwise the clock skips to the time-out, as nothing else is to be waited for.
      void waiting.clock.busy(() => new Promise<void>(() => {}));
      begun.set(waiting.token, waiting);
      return waiting.token;
    },
    async ended(token) {
      const { execution } = of(token);
      // What an answer sets in motion goes on in this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      const { status, output, error = '', cause = '' } = execution;
      return status === 'RUNNING' ? 'waiting' : status === 'SUCCEEDED' ? { output } : { error, cause };
    },
    stop: (token) => of(token).engine.stopExecution('one'),
    close: async () => {},
  };
});

describeExecutions('the engine', async () => {
  const clock = createClock(0, () => 0);
  const engine = createEngine({
    clock,
    random: Math.random,
    invoke: async () => null,
    objects: { get: async () => '', put: async () => {} },
  });
  engine.load('machine', definition);
  return {
    executions: engineExecutions(engine, 'machine'),
    inputs: async (name) => engine.executions().flatMap((each) => (each.name === name ? [each.input] : [])),
    end: async (name) => engine.stopExecution(name),
    close: async () => {},
  };
});

describe('an answer to a waiting state', () => {
  it('is delivered, and becomes the output of the state', async () => {
    const { callbacks, execution, token } = await createWaiting();
    expect(await callbacks.succeed(token, { done: 3 })).toBe('delivered');
    expect(await execution.done).toMatchObject({ status: 'SUCCEEDED', output: { done: 3 } });
  });

  it('may be an error, with its cause', async () => {
    const { callbacks, execution, token } = await createWaiting();
    expect(await callbacks.fail(token, 'DispatchLost', 'nobody finished it')).toBe('delivered');
    expect(await execution.done).toMatchObject({
      status: 'FAILED',
      error: 'DispatchLost',
      cause: 'nobody finished it',
    });
  });

  it('that is given a second time is gone, and changes nothing', async () => {
    const { callbacks, execution, token } = await createWaiting();
    await callbacks.succeed(token, { first: true });
    expect(await callbacks.succeed(token, { second: true })).toBe('gone');
    expect(await callbacks.fail(token, 'Late', '')).toBe('gone');
    expect(await execution.done).toMatchObject({ output: { first: true } });
  });

  it('is gone where the state timed out before', async () => {
    const { callbacks, execution, token } = await createWaiting();
    expect(await execution.done).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(await callbacks.succeed(token, {})).toBe('gone');
  });

  it('is gone where the token is of another engine, or none', async () => {
    const { callbacks } = await createWaiting();
    const { token } = await createWaiting();
    expect(await callbacks.succeed(token, {})).toBe('gone');
    expect(await callbacks.succeed('no token', {})).toBe('gone');
  });

  it('that is too large is an error and not gone: the state still waits', async () => {
    const { callbacks, token } = await createWaiting();
    await expect(callbacks.succeed(token, 'x'.repeat(300_000))).rejects.toThrow('262144');
    expect(await callbacks.succeed(token, {})).toBe('delivered');
  });
});

describe('starting an execution', () => {
  it('again, while it runs or when it has ended, changes nothing', async () => {
    const { callbacks, engine, executions, execution, token, tokens } = await createWaiting();
    await executions.start('one', { campaign: 'one' });
    await callbacks.succeed(token, {});
    await execution.done;
    await executions.start('one', { campaign: 'one' });
    expect(engine.executions()).toEqual([execution]);
    expect(tokens).toHaveLength(1);
  });

  it('under a name that cannot be is an error', async () => {
    const { executions } = await createWaiting();
    await expect(executions.start('with space', {})).rejects.toMatchObject({ name: 'InvalidName' });
  });
});
