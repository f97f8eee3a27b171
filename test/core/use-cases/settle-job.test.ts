import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { measure } from '../../../core/measure.ts';
import type { Phase } from '../../../core/phase.ts';
import { type PlanEntry, planHash, planLine, sha256Of } from '../../../core/plan.ts';
import type { Policy } from '../../../core/policy.ts';
import { serverPrefix } from '../../../core/result-object.ts';
import type { Summary } from '../../../core/summary.ts';
import { settleJob } from '../../../core/use-cases/settle-job.ts';
import { settleRun } from '../../../core/use-cases/settle-run.ts';
import { carryOut, dispatch, opened, patching, plainPolicy } from '../../support/campaign-stages.ts';
import {
  allGood,
  campaignId,
  entryOf,
  policyOf,
  resultObjectOf,
  resultText,
  serverOf,
  summaryOf,
} from '../../support/samples.ts';
import type { Answer } from '../../support/scripted-run-command.ts';

const servers = [serverOf(1), serverOf(2)];
const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]];
const ref = { campaignId, batchId: 'p-0001', phase: 'prepare' as const };

/** What becomes of two servers of which the first answers its preparation so. */
async function prepareWith(answer: Answer, policy: Policy = plainPolicy) {
  const world = await opened({ servers, policy, hosts: { 'web-1': { answers: { prepare: answer } } } });
  await carryOut(world, 'p-0001', 'prepare');
  return world;
}

/** What becomes of one server that answers its patch and its verification so. */
async function patchWith(answers: Partial<Record<Phase, Answer>>, policy: Policy = plainPolicy) {
  const world = await patching({ servers: [first], policy, hosts: { 'web-1': { answers } } });
  for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
  return world.job(first);
}

/** The object of a preparation, and what an honest server says of it. */
function preparation(plan: readonly PlanEntry[], content = resultObjectOf({ plan })): Answer {
  return {
    object: content,
    says: {
      plan: {
        sha256: planHash(first.id, plan),
        entries: plan.length,
        security: plan.filter(({ security }) => security).length,
        downloadBytes: 1,
      },
      object: {
        key: `${serverPrefix(first)}/${campaignId}/prepare.gz`,
        sha256: sha256Of(content),
        bytes: content.length,
      },
    },
  };
}

describe('a server whose answer can not be stored', () => {
  const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, 1]));
  test.each<[string, Record<string, number>]>([
    ['a duration that no store can hold', { total: 1e300 }],
    ['a negative duration', { total: -1 }],
    ['a hundred durations', names(100)],
    ['a duration without a name', { '': 1 }],
    ['a duration named in another script', { größe: 1 }],
  ])('as with %s is not believed, and keeps no neighbour from being settled', async (_, seconds) => {
    const world = await prepareWith({ says: { seconds } });
    expect(await world.states()).toEqual(['failed', 'ready']);
    expect((await world.job(first)).reasons[0]?.code).toBe('summary-unreadable');
    expect(world.answers.delivered.size).toBe(1);
  });

  test('as with a duration of next to nothing is rounded to what every store holds', async () => {
    const world = await prepareWith({ says: { seconds: { total: 1e-200, apt: 1.23456 } } });
    expect((await world.job(first)).phases.prepare?.seconds).toEqual({ total: 0, apt: 1.235 });
    expect(await world.states()).toEqual(['ready', 'ready']);
  });

  test.each([
    ['prepare', 'failed'],
    ['patch', 'lost'],
    ['verify', 'lost'],
  ] as const)(
    'for a cause nobody thought of ends its %s as %s, like one that said nothing',
    async (phase, state) => {
      const world = phase === 'prepare' ? await opened({ servers }) : await patching({ servers });
      const batchId = phase === 'prepare' ? 'p-0001' : 'w0-0001';
      if (phase === 'verify') await carryOut(world, batchId, 'patch');
      const system = { id: 'debian', version: '12', kernel: 'poison' };
      world.runCommand.hosts.set(first.id, { answers: { [phase]: { says: { system } } } });
      const { replace } = world.ports.records;
      world.ports.records.replace = async (record, expected) => {
        if (JSON.stringify(record.body).includes('poison'))
          throw Object.assign(new Error('holds poison'), { code: 'not-storable' });
        return replace(record, expected);
      };
      await carryOut(world, batchId, phase);
      expect(await world.job(first)).toMatchObject({
        state,
        reasons: [{ code: 'summary-unreadable' }],
        phases: { [phase]: { result: null, object: null } },
      });
      expect(world.answers.delivered.has(`${batchId} ${phase}`)).toBe(true);
    },
  );

  test('at this moment is settled later, and all its neighbours at once', async () => {
    const batch = Array.from({ length: 50 }, (_, index) => serverOf(index + 1));
    const world = await opened({ servers: batch });
    await dispatch(world, 'p-0001', 'prepare');
    await world.runCommand.answer();
    const { get } = world.ports.objects;
    world.ports.objects.get = async (key, atMost) => {
      if (key.includes(first.id)) throw new Error('slow down');
      return get(key, atMost);
    };
    await expect(settleRun(world.ports, ref, world.now())).rejects.toThrow('slow down');
    expect(await world.states()).toEqual(['preparing', ...Array(49).fill('ready')]);
    expect(world.answers.delivered.size).toBe(0);
    world.ports.objects.get = get;
    await settleRun(world.ports, ref, world.now());
    expect(await world.states()).toEqual(Array(50).fill('ready'));
    expect(world.answers.delivered.size).toBe(1);
  });
});

describe('a result object', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => entryOf({ name: `package-${String(n).padStart(5, '0')}` }));
  const failure = async (answer: Answer) => {
    const world = await prepareWith(answer);
    expect(await world.states()).toEqual(['failed', 'ready']);
    const job = await world.job(first);
    expect(job.plan).toBeNull();
    return job;
  };

  test('of more than four megabytes proves nothing', async () => {
    const plan = [entryOf()];
    const text = resultText({ plan: `${planLine(entryOf())}\n`, log: 'x'.repeat(4 * 1024 * 1024) });
    const job = await failure(preparation(plan, gzipSync(text, { level: 0 })));
    expect(job.reasons).toEqual([
      {
        code: 'result-unproven',
        detail: expect.stringMatching(/has \d{7} bytes, and 4194304 are read at most/),
      },
    ]);
  });

  test('with a plan that no order should carry proves nothing', async () => {
    const job = await failure(preparation(many(5000)));
    expect(job.reasons[0]).toEqual({
      code: 'result-unproven',
      detail: expect.stringMatching(/the plan has \d{6} characters, and 786432 are taken at most/),
    });
  });

  test('with the plan of a whole distribution upgrade is taken', async () => {
    const world = await prepareWith(preparation(many(2500)));
    expect((await world.job(first)).plan?.entries).toBe(2500);
  });

  test('that proves nothing is not pointed to: nobody should follow', async () => {
    const content = resultObjectOf();
    const key = `${serverPrefix(second)}/${campaignId}/prepare.gz`;
    const object = { key, sha256: sha256Of(content), bytes: content.length };
    const job = await failure({ says: { object } });
    expect(job.phases.prepare).toMatchObject({ object: null, unproven: { code: 'result-unproven' } });
  });
});

describe('a plan', () => {
  const removal = entryOf({ action: 'remove', name: 'mta', to: null, sha256: null, repository: '-' });
  const replacement = entryOf({ ...removal, action: 'replace' });

  test.each([
    ['remove', removal],
    ['replace', replacement],
  ])('that would %s a package is never ready where the policy refuses removals', async (action, entry) => {
    const world = await prepareWith(preparation([entryOf(), entry]));
    expect(await world.states()).toEqual(['failed', 'ready']);
    expect(await world.job(first)).toMatchObject({
      reasons: [{ code: 'removal-refused', detail: expect.stringContaining(`would ${action} mta`) }],
      plan: null,
    });
  });

  test('that would remove a package is ready where the policy allows it', async () => {
    const policy = policyOf({ ...plainPolicy, removals: 'allow' });
    const world = await prepareWith(preparation([entryOf(), removal]), policy);
    expect((await world.job(first)).plan?.entries).toBe(2);
  });

  test('without entries is never ready, whatever the server calls it', async () => {
    const world = await prepareWith(preparation([]));
    expect(await world.states()).toEqual(['failed', 'ready']);
    expect(await world.job(first)).toMatchObject({ reasons: [{ code: 'plan-empty' }], plan: null });
  });

  test('is counted here, and not taken from the word of the server', async () => {
    const plan = [entryOf(), entryOf({ name: 'bash', security: false, size: 7 })];
    const answer = preparation(plan);
    const sha256 = planHash(first.id, plan);
    const says = { ...answer.says, plan: { sha256, entries: 99, security: 0, downloadBytes: 1 } };
    const world = await prepareWith({ ...answer, says });
    expect((await world.job(first)).plan).toEqual({
      sha256,
      entries: 2,
      security: 1,
      downloadBytes: 1_000_007,
      objectKey: `${serverPrefix(first)}/${campaignId}/prepare.gz`,
    });
  });
});

describe('a server that needs nothing', () => {
  const idle = (compliant: boolean | null): Answer => ({
    says: { result: 'nothing-to-do', code: 2, plan: null, facts: { ...allGood, compliant } },
  });
  test.each([
    [true, true, 'nothing-to-do'],
    [true, null, 'nothing-to-do'],
    [true, false, 'failed'],
    [false, false, 'nothing-to-do'],
  ] as const)(
    'under requireCompliant %s, and compliant: %s, is %s',
    async (requireCompliant, compliant, state) => {
      const world = await prepareWith(idle(compliant), policyOf({ ...plainPolicy, requireCompliant }));
      const job = await world.job(first);
      expect(job.state).toBe(state);
      expect(job.reasons.map(({ code }) => code)).toEqual(state === 'failed' ? ['not-compliant'] : []);
    },
  );
});

describe('a server that contradicts itself, Run Command or its sealed plan', () => {
  const other = {
    sha256: planHash(first.id, [entryOf({ name: 'bash' })]),
    entries: 1,
    security: 1,
    downloadBytes: 1,
  };
  const contradictions: readonly (readonly [string, Answer])[] = [
    ['exit code 1', { says: { code: 1 } }],
    ['exit code 100', { says: { code: 100 } }],
    ['a command that failed', { status: 'failed' }],
    ['a command that was cancelled', { status: 'cancelled' }],
  ];
  const planless: readonly (readonly [string, Answer])[] = [
    ['another plan', { says: { plan: other } }],
    ['no plan', { says: { plan: null } }],
  ];

  test.each(contradictions)('has not prepared, by %s', async (_, answer) => {
    const world = await prepareWith(answer);
    expect(await world.states()).toEqual(['failed', 'ready']);
    expect(await world.job(first)).toMatchObject({
      plan: null,
      reasons: [{ code: 'result-contradicts' }],
      phases: { prepare: { object: null } },
    });
  });

  test.each([...contradictions, ...planless])('has not been patched, by %s', async (_, patch) => {
    expect(await patchWith({ patch })).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'result-contradicts' }],
      phases: { patch: { object: null, unproven: { code: 'result-contradicts' } } },
    });
  });

  const killed = ['a verification that was killed', { status: 'execution-timed-out' }] as const;
  test.each([...contradictions, ...planless, killed])('has not been verified, by %s', async (_, verify) => {
    expect(await patchWith({ verify })).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'result-contradicts' }],
    });
  });

  test.each<Summary['result']>(['planned', 'patched', 'nothing-to-do'])(
    'has not been verified, by the result %s of another phase',
    async (result) => {
      expect((await patchWith({ verify: { says: { result } } })).state).toBe('failed');
    },
  );

  test('does not, when it was killed with its transaction done and recorded', async () => {
    expect((await patchWith({ patch: { status: 'execution-timed-out' } })).state).toBe('succeeded');
  });
});

describe('an answer that two processes settle at once', () => {
  test('moves the job once: the later one finds it moved', async () => {
    const world = await patching({ servers: [first] });
    await dispatch(world, 'w0-0001', 'patch');
    const before = await world.job(first);
    const campaign = await world.campaign();
    await world.runCommand.answer();
    await settleRun(world.ports, { campaignId, batchId: 'w0-0001', phase: 'patch' }, world.now());
    const settled = await world.job(first);
    expect(settled.state).toBe('verifying');
    const killed = {
      serverId: first.id,
      status: 'execution-timed-out' as const,
      terminal: true,
      statusDetails: 'executiontimedout',
      summary: '',
    };
    expect(await settleJob(world.ports, campaign, 'patch', before, killed, world.now())).toEqual(settled);
    expect(await world.job(first)).toEqual(settled);
  });
});

describe('a server that goes back', () => {
  const sick = { says: { facts: { ...allGood, healthy: false } } };
  /** What becomes of it when it answers its rollback so. */
  async function rollBackWith(answer: Answer) {
    const answers = { verify: sick, rollback: answer };
    const world = await patching({ servers: [first], hosts: { 'web-1': { answers } } });
    for (const phase of ['patch', 'verify', 'rollback'] as const) await carryOut(world, 'w0-0001', phase);
    return world.job(first);
  }

  test('and was killed over it has not come back, whatever it had written before', async () => {
    const { state, reasons } = await rollBackWith({ status: 'execution-timed-out' });
    expect(state).toBe('rollback-failed');
    expect(reasons.map(({ code }) => code)).toEqual(['result-contradicts', 'not-healthy']);
  });

  test('has come back from the plan that was sealed, and from no other', async () => {
    const plan = { sha256: sha256Of('another plan'), entries: 1, security: 0, downloadBytes: 1 };
    expect(await rollBackWith({ says: { plan } })).toMatchObject({
      state: 'rollback-failed',
      reasons: [{ code: 'result-contradicts' }, { code: 'not-healthy' }],
    });
  });

  test('says that it would go back only when it is asked that, so that is no end', async () => {
    expect((await rollBackWith({ says: { result: 'possible' } })).state).toBe('rollback-failed');
  });

  test('has come back where there was nothing to undo and it is well', async () => {
    expect(await rollBackWith({ says: { result: 'nothing-to-do', code: 2 } })).toMatchObject({
      state: 'rolled-back',
      reasons: [{ code: 'not-healthy' }],
    });
  });
});

describe('a reboot that is left for a window of its own', () => {
  const verify = { says: { facts: { ...allGood, rebootPending: true } } };

  test('is asked for, and its server has succeeded', async () => {
    expect((await patchWith({ verify }, policyOf({ ...plainPolicy, reboot: 'separate-window' }))).state).toBe(
      'succeeded',
    );
  });

  test('is no success where that is too short, and keeps no batch from its end', async () => {
    const policy = policyOf({ ...plainPolicy, reboot: 'separate-window', rebootWindow: { minutes: 15 } });
    expect(await patchWith({ verify }, policy)).toMatchObject({
      state: 'failed',
      reasons: [{ code: 'reboot-not-left', detail: expect.stringContaining('takes up to 21 minutes') }],
    });
  });
});

describe('a backup that is required', () => {
  const foreign = {
    key: `backups/somebody-else/${campaignId}/a.tar.gz`,
    sha256: sha256Of(''),
    bytes: 1,
    files: 1,
  };

  test.each([
    ['is named', null],
    ["is the server's own", foreign],
  ])('has to be proven: where none %s, what was patched is no success', async (_, backup) => {
    const job = await patchWith({ patch: { says: { backup } } });
    expect(job).toMatchObject({ state: 'failed', reasons: [{ code: 'backup-unproven' }] });
    expect(job.phases.patch).toMatchObject({ result: 'patched', backup: null, unproven: null });
  });

  test.each([
    ['as the server says', [{ code: 'backup-failed', detail: 'the bucket is full' }], 'the bucket is full'],
    ['whatever else it says first', Array(5).fill({ code: 'noise', detail: '' }), 'no backup of before'],
  ])('may be waived, and then its failing is on record with the waiver, %s', async (_, warnings, told) => {
    const backup = { configuration: 'best-effort', waiver: 'rebuilt from images' } as const;
    const job = await patchWith(
      { patch: { says: { backup: null, warnings } } },
      policyOf({ ...plainPolicy, backup }),
    );
    expect(job.state).toBe('succeeded');
    expect(job.phases.patch?.warnings[0]).toEqual({
      code: 'backup-failed',
      detail: expect.stringMatching(`^waived: rebuilt from images; .*${told}`),
    });
    expect(measure('patch', [job])).toContainEqual(['backups-failed', 1]);
  });

  test('is not asked of a server that had nothing to do any more', async () => {
    const { state } = await patchWith({
      patch: { says: { result: 'nothing-to-do', code: 2, backup: null } },
    });
    expect(state).toBe('succeeded');
  });
});

test('what a server counted is kept as far as it is known', async () => {
  const found = { ...summaryOf(first, 'verify').found, integrityUnexpected: 0, held: 2 };
  const { phases } = await patchWith({ verify: { says: { found } } });
  expect(phases.verify?.found).toEqual({ integrityUnexpected: 0, held: 2 });
});
