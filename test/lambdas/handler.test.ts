import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PortError } from '../../core/ports.ts';
import { steps } from '../../core/steps.ts';
import { askSeconds } from '../../core/zone-asking.ts';
import { environmentNames, readEnvironment } from '../../lambdas/environment.ts';
import { environmentOf, type FunctionName, functions } from '../../lambdas/functions.ts';
import { createHandler } from '../../lambdas/handler.ts';

const context = {
  awsRequestId: 'request-1',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:enter-window',
};

/** Lines that the function wrote, as CloudWatch takes them. */
let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  vi.stubEnv('STATE_TABLE', 'table-1');
  // Powertools writes past the console otherwise.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  const keep = (line: unknown) => void lines.push(JSON.parse(String(line)));
  for (const level of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(keep);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('the environment', () => {
  test('names every variable that is missing, and takes the member role empty', () => {
    const read = () => readEnvironment(['stateTable', 'optInTag', 'memberRole'], { STATE_TABLE: '' });
    expect(read).toThrow('STATE_TABLE, OPT_IN_TAG, MEMBER_ROLE_NAME');
    expect(readEnvironment(['memberRole'], { MEMBER_ROLE_NAME: '' })).toEqual({ memberRole: '' });
  });

  test('has a name of its own for everything', () => {
    const names = Object.values(environmentNames);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the functions', () => {
  const names = Object.keys(functions) as FunctionName[];

  test('are a handler file each, which loads without an environment', async () => {
    vi.stubEnv('STATE_TABLE', undefined);
    for (const name of names) {
      const module = await import(`../../lambdas/${name}.ts`);
      expect(Object.keys(module), name).toEqual(['handler']);
    }
  });

  test.each(names)('%s says what is missing instead of starting', async (name) => {
    vi.stubEnv('STATE_TABLE', undefined);
    const { handler } = await import(`../../lambdas/${name}.ts`);
    const first = environmentOf(name)[0];
    await expect(handler({}, context)).rejects.toThrow(first && environmentNames[first]);
  });

  test('are one for every step of the state machine, and end before it stops waiting', () => {
    for (const step of Object.keys(steps)) expect(names).toContain(step);
    for (const name of names) expect(functions[name].timeoutSeconds, name).toBeLessThan(930);
  });

  test('send the commands of campaigns from one place alone, for less time than its lease', () => {
    const sending = names.filter((name) => functions[name].ports.some((port) => port === 'commands'));
    // A reboot is claimed for good before it is sent, by a record of its own; a rollback by hand dispatches by itself;
    // asking for the time zone changes nothing.
    expect(sending).toEqual(['dispatch-batch', 'run-reboots', 'roll-back', 'ask-zones']);
    for (const name of ['dispatch-batch', 'roll-back'] as const)
      expect(functions[name].timeoutSeconds, name).toBeLessThan(120);
    expect(functions['ask-zones'].timeoutSeconds).toBeLessThanOrEqual(askSeconds);
  });
});

describe('a handler', () => {
  const handlerOf = (run: () => Promise<unknown>) =>
    createHandler({ name: 'enter-window', compose: (world) => world, run });

  test('knows its table, its account and its Region, and composes once', async () => {
    const worlds: unknown[] = [];
    const handler = createHandler({
      name: 'enter-window',
      compose: (world) => worlds.push(world),
      run: async (_, event) => event,
    });
    expect(await handler({ campaignId: 'campaign-0001' }, context)).toEqual({ campaignId: 'campaign-0001' });
    await handler({}, context);
    expect(worlds).toEqual([
      {
        environment: { stateTable: 'table-1' },
        home: { partition: 'aws', account: '123456789012', region: 'eu-central-1' },
      },
    ]);
  });

  test('throws errors as they are: the state machine knows them by their names', async () => {
    const error = new PortError('throttled', 'too many commands');
    await expect(handlerOf(() => Promise.reject(error))({}, context)).rejects.toBe(error);
    expect(error.name).toBe('CommandThrottled');
  });

  test('logs the campaign with all it says, and never the task token', async () => {
    const event = { campaignId: 'campaign-0001', batchId: 'p-0001', taskToken: 'secret-token' };
    await handlerOf(() => Promise.reject(new Error('no table')))(event, context).catch(() => {});
    const logged = lines.find(({ message }) => message === 'failed');
    expect(logged).toMatchObject({ campaignId: 'campaign-0001', batchId: 'p-0001', requestId: 'request-1' });
    expect(JSON.stringify(lines)).not.toContain('secret-token');
  });

  test('counts failures as a metric of the function', async () => {
    await handlerOf(() => Promise.reject(new Error('no table')))({}, context).catch(() => {});
    expect(lines.find((line) => 'Failed' in line)).toMatchObject({ Failed: 1, service: 'enter-window' });
  });
});
