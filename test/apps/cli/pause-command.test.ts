import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../apps/cli/arguments.ts';
import { runAnswered } from '../../support/cli-answers.ts';
import { createCliWorld } from '../../support/cli-world.ts';

const asked = (...argv: readonly string[]) => runAnswered(undefined, argv);

describe('quarterdeck pause and resume', () => {
  it('turn the switch, with who and why, and plan again when it is over', async () => {
    const paused = await asked('pause', '--reason', 'an incident');
    expect(paused).toMatchObject({ code: 0, calls: [['pause-all', { by: 'ann', reason: 'an incident' }]] });
    expect(paused.out).toMatch(/^Everything is paused/);
    const resumed = await asked('resume', '--by', 'bob', '--reason', 'over', '--json');
    expect(resumed.calls).toEqual([
      ['resume-all', { by: 'bob', reason: 'over' }],
      ['plan-schedules', {}],
    ]);
    expect(JSON.parse(resumed.out)).toEqual({ paused: false, by: 'bob', reason: 'over' });
  });

  it('need a reason, and a stack on AWS', async () => {
    expect(() => parseCommandLine(['pause', '--aws'])).toThrow(/--reason is missing/);
    const local = await createCliWorld().run('pause', '--reason', 'an incident');
    expect(local).toMatchObject({ code: 1, note: expect.stringContaining('add --aws') });
  });
});
