import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type ShimTrial, spec, startShimTrial } from './shim-trial.ts';

let trial: ShimTrial | undefined;

afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

/** A job of the same server that holds one of its locks. */
async function otherJob(lock: string) {
  trial = await startShimTrial([spec('lib', '1.0-1')]);
  const { host } = trial;
  const { stdout } = host.run({ argv: ['bash', '-c', 'printf %s "$QD_ROOT"'] });
  const state = join(await text(stdout), 'var/lib/quarterdeck/2027-q1-other/state');
  await mkdir(state, { recursive: true });
  const job = spawn('flock', [join(state, lock), 'sh', '-c', 'echo held; exec sleep 300'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(job.stdout, 'data');
  const end = async () => {
    process.kill(-(job.pid as number), 'SIGKILL');
    await once(job, 'exit');
  };
  return { ...trial, end };
}

const parameters = { Reboot: 'always', TimeBudget: '30', RebootReserve: '10' };

describe('a reboot', () => {
  it.each(['lock', 'transaction.lock', 'rollback-transaction.lock'])(
    'waits for other jobs of its server, and is refused where one keeps its %s',
    async (lock) => {
      const { host, run, end } = await otherJob(lock);
      try {
        const { summary } = await run(host, 'reboot', { parameters });
        expect(summary).toMatchObject({
          result: 'refused',
          reasons: [{ code: 'job-under-way', detail: 'job 2027-q1-other of this server is under way' }],
        });
      } finally {
        await end();
      }
    },
  );

  it('goes on when they have ended', async () => {
    const { host, run, end } = await otherJob('lock');
    const ended = setTimeout(() => void end(), 2000);
    const { summary } = await run(host, 'reboot', { parameters });
    clearTimeout(ended);
    expect(summary.reasons.map(({ code }) => code)).toEqual(['no-time-to-reboot']);
  });
});
