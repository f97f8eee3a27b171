import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../apps/cli/arguments.ts';
import { helpText } from '../../../apps/cli/help.ts';
import { callNames } from '../../../core/calls.ts';
import { type RollBackOutput, rollBackInput } from '../../../core/use-cases/roll-back.ts';
import { type ShowRollbackOutput, showRollbackInput } from '../../../core/use-cases/show-rollback.ts';
import { runAnswered } from '../../support/cli-answers.ts';
import { campaignId, serverOf } from '../../support/samples.ts';

async function run(answer: unknown, ...argv: readonly string[]) {
  const { code, out, calls } = await runAnswered(answer, argv);
  const [name, input] = calls.at(-1) ?? [];
  expect(callNames).toContain(name);
  return { code, out, name, input };
}

const done: RollBackOutput = {
  number: 2,
  dryRun: false,
  servers: 3,
  left: [{ server: 'web-4', why: 'the agent of web-4 does not answer' }],
};

const shownOf = (changes: Partial<ShowRollbackOutput> = {}): ShowRollbackOutput => ({
  campaignId,
  number: 2,
  by: 'ann',
  reason: 'slow since then',
  to: 'packages',
  dryRun: true,
  at: '2027-01-10T01:00:00.000Z',
  servers: 1,
  endedAt: null,
  counts: {},
  complete: true,
  rows: [
    {
      server: 'web-1',
      id: serverOf(1).id,
      state: 'possible',
      reason: null,
      steps: ['packages\tdowngrade\topenssl\t3.0.15\t3.0.14'],
    },
  ],
  past: [],
  ...changes,
});

const request = ['rollback', 'request', campaignId] as const;

describe('quarterdeck rollback request', () => {
  it('asks for the whole campaign, with who and why, and says who is left', async () => {
    const { code, name, input, out } = await run(done, ...request, '--reason', 'slow');
    expect({ code, name }).toEqual({ code: 0, name: 'roll-back' });
    const asked = { campaignId, to: 'packages', dryRun: false, by: 'ann', reason: 'slow' };
    expect(rollBackInput.parse(input)).toEqual(asked);
    expect(out).toContain('3 servers go back');
    expect(out).toContain('left as it is: web-4, the agent of web-4 does not answer');
    expect(out).toContain(`quarterdeck rollback show ${campaignId} --aws`);
  });

  it('names servers, a rung, and that it is only asked', async () => {
    const flags = ['--servers', 'web-1,web-2', '--to', 'kernel', '--dry-run', '--reason', 'slow'];
    const { input, out } = await run({ ...done, dryRun: true, servers: 1, left: [] }, ...request, ...flags);
    expect(rollBackInput.parse(input)).toMatchObject({
      servers: ['web-1', 'web-2'],
      to: 'kernel',
      dryRun: true,
    });
    expect(out).toContain('1 server is asked what it would do');
  });

  it.each([
    [['--reason', ' '], '--reason is missing'],
    [['--reason', 'slow', '--to', 'root'], 'packages, configuration, kernel'],
  ])('refuses %j', (flags, says) => {
    expect(() => parseCommandLine([...request, '--aws', ...flags])).toThrow(says);
  });
});

describe('quarterdeck rollback show', () => {
  const show = ['rollback', 'show', campaignId] as const;

  it('tells of a dry run what each server would do', async () => {
    const { code, name, input, out } = await run(shownOf(), ...show);
    expect({ code, name }).toEqual({ code: 0, name: 'show-rollback' });
    expect(showRollbackInput.parse(input)).toEqual({ campaignId });
    expect(out).toContain(`dry run 2 of ${campaignId}, up to packages: over`);
    expect(out).toContain('web-1: packages downgrade openssl 3.0.15 3.0.14');
  });

  it('ends with 4 when it is over and a server did not go back, and not before', async () => {
    const rows = [{ ...shownOf().rows[0], state: 'rollback-failed', reason: 'nginx is down', steps: [] }];
    const changes = { dryRun: false, rows: rows as ShowRollbackOutput['rows'] };
    const { code, out } = await run(shownOf(changes), ...show);
    expect(code).toBe(4);
    expect(out).toContain('nginx is down');
    expect((await run(shownOf({ ...changes, complete: false }), ...show)).code).toBe(0);
  });

  it('is said as JSON where that is asked for', async () => {
    const { out } = await run(shownOf(), ...show, '--json');
    expect(JSON.parse(out)).toEqual(shownOf());
  });
});

it('has help for both', () => {
  for (const verb of ['request', 'show'])
    expect(helpText(`rollback ${verb}`)).toContain(`Usage: quarterdeck rollback ${verb}`);
});
