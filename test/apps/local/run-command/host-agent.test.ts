import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandEnd, StepReport } from '../../../../apps/local/run-command/agent.ts';
import { parseDocument } from '../../../../apps/local/run-command/document.ts';
import { createHostAgent } from '../../../../apps/local/run-command/host-agent.ts';
import type { Interpolation } from '../../../../apps/local/run-command/interpolation.ts';
import { resolveParameters } from '../../../../apps/local/run-command/parameters.ts';
import { createFolderHost, type FolderHost } from '../../../support/folder-host.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';
import { serverId } from '../../../support/samples.ts';

interface Given {
  readonly parameters?: Record<string, unknown>;
  readonly values?: Record<string, string[]>;
  readonly interpolation?: Interpolation;
}

interface Step {
  readonly run: string | readonly string[];
  readonly precondition?: Record<string, string[]>;
  readonly [input: string]: unknown;
}

let host: FolderHost;
let clock: ManualClock;
beforeEach(async () => {
  host = await createFolderHost(serverId(7));
  clock = createManualClock(0);
});
afterEach(() => host.close());

function start(steps: readonly Step[], { parameters = {}, values = {}, interpolation }: Given = {}) {
  const document = parseDocument(
    'Sample',
    JSON.stringify({
      schemaVersion: '2.2',
      parameters,
      mainSteps: steps.map(({ run, precondition, ...inputs }, index) => ({
        action: 'aws:runShellScript',
        name: `step${index + 1}`,
        ...(precondition && { precondition }),
        inputs: { runCommand: typeof run === 'string' ? [run] : run, ...inputs },
      })),
    }),
  );
  const agent = createHostAgent(host, {
    clock,
    region: 'eu-central-1',
    rebootDelay: 60,
    ...(interpolation && { interpolation }),
  });
  const cancellation = new AbortController();
  const reports = new Map<string, StepReport>();
  let ended: CommandEnd | undefined;
  const end = agent
    .execute(
      {
        commandId: randomUUID(),
        instanceId: host.id,
        expiresAt: 86_400_000,
        documentName: 'Sample',
        document,
        parameters: resolveParameters(document, values),
      },
      { report: (step) => reports.set(step.name, step), cancelled: cancellation.signal },
    )
    .then((value) => {
      ended = value;
      return value;
    });
  return {
    end,
    cancel: () => cancellation.abort(),
    hasEnded: () => ended !== undefined,
    step: (number: number) => reports.get(`step${number}`) as StepReport,
    statuses: () => [...reports.values()].map(({ status }) => status),
  };
}

/** Waits, in real time, for a file that a script makes to say how far it is. */
async function made(name: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (
      await access(join(host.root, name)).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(10);
  }
  throw new Error(`no script made ${name}`);
}

async function nothingBusy(): Promise<void> {
  do await sleep(5);
  while (clock.busyWith > 0);
}

describe('a step', () => {
  test('without a shebang is read by sh, in the root folder, with the environment of the agent', async () => {
    const run = start([
      {
        run: [
          'echo "$0" | sed "s,.*/,,"',
          '[ -n "$BASH_VERSION" ] && echo "bash $PWD" || echo "sh $PWD"',
          'env | sort',
        ],
      },
    ]);
    expect(await run.end).toBe('Success');
    const [script, shell, ...env] = run.step(1).stdout.trim().split('\n');
    expect([script, shell]).toEqual(['_script.sh', 'sh /']);
    expect(env).toEqual(
      expect.arrayContaining([
        `AWS_SSM_INSTANCE_ID=${host.id}`,
        'AWS_SSM_REGION_NAME=eu-central-1',
        `ROOT=${host.root}`,
      ]),
    );
  });

  test('with a shebang is read by what it names', async () => {
    const run = start([{ run: ['#!/bin/bash', '[ -n "$BASH_VERSION" ] && echo bash'] }]);
    await run.end;
    expect(run.step(1).stdout).toBe('bash\n');
  });

  test('that fails carries the line that the agent adds', async () => {
    const run = start([{ run: 'echo out; echo err >&2; exit 3' }]);
    expect(await run.end).toBe('Failed');
    expect(run.step(1)).toMatchObject({
      status: 'Failed',
      code: 3,
      stdout: 'out\n',
      stderr: 'err\nfailed to run commands: exit status 3',
      output: 'out\n\n----------ERROR-------\nerr\nfailed to run commands: exit status 3',
    });
  });

  test('gets its parameters as the agent of its time does', async () => {
    const given = {
      parameters: { Name: { type: 'String', interpolationType: 'ENV_VAR' } },
      values: { Name: ['$(echo hi)'] },
    };
    const script = 'echo "$SSM_Name {{ Name }}"';
    for (const [interpolation, seen] of [
      ['text', ' hi\n'],
      ['environment', '$(echo hi) {{ Name }}\n'],
      ['both', '$(echo hi) hi\n'],
    ] as const) {
      const run = start([{ run: script }], { ...given, interpolation });
      await run.end;
      expect(run.step(1).stdout).toBe(seen);
    }
  });

  test('keeps the head of a long output', async () => {
    const run = start([{ run: 'seq 1 20000; seq 1 20000 >&2' }]);
    await run.end;
    expect(run.step(1).stdout).toHaveLength(24_000);
    expect(run.step(1).stderr).toHaveLength(8_000);
    expect(run.step(1).output.length).toBeLessThanOrEqual(2_500);
    expect(run.step(1).output.startsWith('1\n2\n3\n')).toBe(true);
  });

  test('is skipped where its precondition is not met, and fails where the agent does not know it', async () => {
    const run = start([
      { run: 'echo 1', precondition: { StringEquals: ['platformType', 'Windows'] } },
      { run: 'echo 2', precondition: { StringEquals: ['platformType', 'Linux'] } },
      { run: 'echo 3', precondition: { StringLike: ['platformType', 'Linux'] } },
    ]);
    expect(await run.end).toBe('Failed');
    expect(run.statuses()).toEqual(['Skipped', 'Success', 'Failed']);
  });
});

describe('a step that takes too long', () => {
  test('is killed with all it started, and counts as timed out', async () => {
    const run = start([
      {
        run: '(sleep 0.5; touch "$ROOT/late") & touch "$ROOT/running"; sleep 60',
        timeoutSeconds: '5',
      },
    ]);
    await made('running');
    await clock.advance(4);
    expect(run.hasEnded()).toBe(false);
    await clock.advance(1);
    expect(await run.end).toBe('Execution Timed Out');
    expect(run.step(1)).toMatchObject({ status: 'TimedOut', code: 137, stderr: '' });
    await sleep(700);
    await expect(access(join(host.root, 'late'))).rejects.toThrow();
  });

  test('does not keep the others from running, whatever onFailure says', async () => {
    const run = start([
      { run: 'touch "$ROOT/running"; sleep 60', timeoutSeconds: 5, onFailure: 'exit' },
      { run: 'echo after' },
    ]);
    await made('running');
    await clock.advance(5);
    expect(await run.end).toBe('Execution Timed Out');
    expect(run.statuses()).toEqual(['TimedOut', 'Success']);
  });

  test('has an hour where the document says less than five seconds, or nonsense', async () => {
    const runs = ['4', '{{ Limit }}', 200_000].map((timeoutSeconds, index) =>
      start([{ run: `touch "$ROOT/running${index}"; sleep 60`, timeoutSeconds }]),
    );
    for (const index of runs.keys()) await made(`running${index}`);
    await clock.advance(3_599);
    // A killed script takes a moment of real time to be gone.
    await sleep(500);
    expect(runs.map(({ hasEnded }) => hasEnded())).toEqual([false, false, false]);
    await clock.advance(1);
    for (const { end } of runs) expect(await end).toBe('Execution Timed Out');
  });

  test('is what an exit code of 137 is taken for', async () => {
    const run = start([{ run: 'exit 137' }]);
    expect(await run.end).toBe('Execution Timed Out');
  });
});

describe('the steps of a document', () => {
  test('all run, and one failure fails the command', async () => {
    const run = start([{ run: 'echo 1' }, { run: 'exit 1' }, { run: 'echo 3' }]);
    expect(await run.end).toBe('Failed');
    expect(run.statuses()).toEqual(['Success', 'Failed', 'Success']);
  });

  test('end with a failed one whose inputs say onFailure, but for a finally step', async () => {
    const run = start([
      { run: 'exit 1', onFailure: 'exit' },
      { run: 'echo 2' },
      { run: 'echo 3', finallyStep: true },
    ]);
    expect(await run.end).toBe('Failed');
    expect(run.statuses()).toEqual(['Failed', 'Skipped', 'Success']);
    expect(run.step(1).output).not.toContain('onFailure');
  });

  test.each([
    ['exit 168', {}, 'Success', ['Success', 'Skipped']],
    ['exit 169', {}, 'Failed', ['Failed', 'Skipped']],
    ['exit 1', { onFailure: 'successAndExit' }, 'Success', ['Success', 'Skipped']],
    ['exit 0', { onSuccess: 'exit' }, 'Success', ['Success', 'Skipped']],
    ['exit 1', { onSuccess: 'exit' }, 'Failed', ['Failed', 'Success']],
  ])('after %s with %o: the command is %s', async (script, inputs, end, statuses) => {
    const run = start([{ run: script, ...inputs }, { run: 'echo 2' }]);
    expect(await run.end).toBe(end);
    expect(run.statuses()).toEqual(statuses);
    expect(run.step(1).output.includes('ERROR')).toBe(!['exit 0', 'exit 168'].includes(script));
  });

  test('are all cancelled once the command is', async () => {
    const run = start([{ run: 'touch "$ROOT/running"; sleep 60' }, { run: 'echo 2' }]);
    await made('running');
    run.cancel();
    expect(await run.end).toBe('Cancelled');
    expect(run.statuses()).toEqual(['Cancelled', 'Cancelled']);
    expect(run.step(1).code).toBe(137);
    expect(run.step(2).stdout).toBe('');
  });
});

/** Asks for a restart the first time, and ends well the second. */
const askOnce = '[ -e "$ROOT/asked" ] || { touch "$ROOT/asked"; exit 194; }';

describe('exit 194', () => {
  test('that is followed by a cancellation does not run the step again', async () => {
    const run = start([{ run: askOnce }, { run: 'touch "$ROOT/second"' }]);
    await made('asked');
    await nothingBusy();
    run.cancel();
    await clock.advance(60);
    expect(await run.end).toBe('Cancelled');
    expect(run.statuses()).toEqual(['Cancelled', 'Cancelled']);
    expect(await host.readFile('second')).toBeUndefined();
  });

  test('restarts the host after a minute and runs the same step again, its output below what there was', async () => {
    const run = start([
      { run: 'echo first' },
      {
        run: 'echo "run $(cat "$ROOT/runs" 2>/dev/null)"; echo x >>"$ROOT/runs"; [ "$(wc -l <"$ROOT/runs")" = 2 ] || exit 194',
      },
      { run: 'echo last' },
    ]);
    await made('runs');
    await nothingBusy();
    await clock.advance(59);
    expect(host.boots).toBe(1);
    await clock.advance(1);
    expect(await run.end).toBe('Success');
    expect(host.boots).toBe(2);
    expect(run.step(2).stdout).toBe('run \nrun x\n');
    expect(run.step(1).stdout).toBe('first\n');
    expect(run.statuses()).toEqual(['Success', 'Success', 'Success']);
  });

  test('is taken up again fifteen times, and then never heard of', async () => {
    const run = start([{ run: 'exit 194' }]);
    while (!run.hasEnded()) {
      await nothingBusy();
      await clock.advance(60);
      await sleep(1);
    }
    expect(await run.end).toBe('silent');
    expect(host.boots).toBe(17);
    expect(run.statuses()).toEqual([]);
  });
});

describe('a host that dies', () => {
  test('under a step reports its first step as failed once it is back, and runs nothing again', async () => {
    const run = start([
      { run: 'echo first' },
      { run: 'echo x >>"$ROOT/runs"; touch "$ROOT/running"; sleep 60' },
      { run: 'touch "$ROOT/third"' },
    ]);
    await made('running');
    await host.powerCut();
    await nothingBusy();
    await clock.advance(600);
    expect(run.hasEnded()).toBe(false);
    await host.reboot();
    await clock.advance(10);
    expect(await run.end).toBe('Failed');
    expect(await host.readFile('runs')).toBe('x\n');
    await expect(access(join(host.root, 'third'))).rejects.toThrow();
    expect(run.statuses()).toEqual(['Failed']);
    expect(run.step(1)).toMatchObject({
      stdout: 'first\n',
      output: expect.stringMatching(/document worker timed out/),
    });
  });

  test('and is back at once is found out by its boot id', async () => {
    const run = start([{ run: 'touch "$ROOT/running"; sleep 60' }]);
    await made('running');
    host.online = () => true;
    await host.reboot();
    await nothingBusy();
    await clock.advance(3);
    expect(await run.end).toBe('Failed');
    expect(run.step(1).output).toMatch(/document worker timed out/);
  });

  test('is not what a script is that kills itself', async () => {
    const run = start([{ run: 'kill -9 $$' }]);
    expect(await run.end).toBe('Failed');
    expect(run.step(1)).toMatchObject({ code: -1, stderr: 'failed to run commands: signal: SIGKILL' });
  });

  test('and never comes back is never heard of, and keeps no clock from skipping', async () => {
    const run = start([{ run: 'touch "$ROOT/running"; sleep 60' }]);
    await made('running');
    await host.powerCut();
    await nothingBusy();
    await clock.advance(86_410);
    expect(await run.end).toBe('silent');
  });

  test('before its restart stays off, and runs the step again once it is back', async () => {
    const run = start([{ run: askOnce }]);
    await made('asked');
    await nothingBusy();
    await host.powerCut();
    await clock.advance(600);
    await nothingBusy();
    expect(host.boots).toBe(1);
    expect(run.hasEnded()).toBe(false);
    await host.reboot();
    await clock.advance(5);
    expect(await run.end).toBe('Success');
    expect(host.boots).toBe(2);
  });

  test('and does not come up from its restart is never heard of', async () => {
    const run = start([{ run: askOnce }]);
    host.reboot = async () => {
      await host.powerCut();
      throw new Error('no boot device');
    };
    await made('asked');
    await nothingBusy();
    await clock.advance(60);
    await clock.advance(86_410);
    expect(await run.end).toBe('silent');
    expect(run.statuses()).toEqual([]);
  });

  test('before the script is in its place runs nothing', async () => {
    host.writeFile = async () => {
      await host.powerCut();
      throw new Error('it is offline');
    };
    const run = start([{ run: 'touch "$ROOT/running"' }]);
    await nothingBusy();
    await host.reboot();
    await clock.advance(10);
    expect(await run.end).toBe('Failed');
    expect(run.step(1).output).toMatch(/document worker timed out/);
  });
});

test('a disk that cannot be written to breaks the agent, and not its host', async () => {
  host.writeFile = () => Promise.reject(new Error('no space left'));
  await expect(start([{ run: 'true' }]).end).rejects.toThrow('no space left');
});

test('an agent keeps the clock busy while a script runs, and only then', async () => {
  const run = start([{ run: 'touch "$ROOT/running"; sleep 0.2; exit 194' }]);
  await made('running');
  expect(clock.busyWith).toBe(1);
  await nothingBusy();
  expect(run.hasEnded()).toBe(false);
});
