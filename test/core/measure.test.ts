import { describe, expect, test } from 'vitest';
import type { PhaseResult } from '../../core/job.ts';
import { measure } from '../../core/measure.ts';
import { closeCampaign } from '../../core/use-cases/close-campaign.ts';
import { carryOut, dispatch, patching, settle } from '../support/campaign-stages.ts';
import { allGood, campaignId, jobOf, serverOf, summaryOf } from '../support/samples.ts';

const servers = [serverOf(1), serverOf(2)];
const sick = { says: { facts: { ...allGood, healthy: false } } };
const refused = { status: 'failed' as const, says: { result: 'failed' as const, code: 107 } };
const found = (integrityUnexpected: number) => ({
  says: { found: { ...summaryOf(serverOf(1), 'patch').found, integrityUnexpected } },
});

describe('what alarms count', () => {
  test('is nothing where all goes well', async () => {
    const world = await patching({ servers });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    expect(world.measured).toEqual([]);
  });

  test('is a server that did not come back, once', async () => {
    const hosts = { 'web-1': { answers: { verify: sick, rollback: refused } } };
    const world = await patching({ servers, hosts });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    await dispatch(world, 'w0-0001', 'rollback');
    // An event and the sweeper at the same time.
    await Promise.all([1, 2].map(() => settle(world, 'w0-0001', 'rollback')));
    expect(world.measured).toEqual([['rollbacks-failed', 1]]);
  });

  test('is a server that its campaign closed over before it came back', async () => {
    const world = await patching({ servers, hosts: { 'web-1': { answers: { verify: sick } } } });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    for (let times = 0; times < 2; times++)
      await closeCampaign(world.ports, { campaignId, ending: 'stopped', reason: null }, world.now());
    expect(world.measured).toEqual([['rollbacks-failed', 1]]);
  });

  test('is no server that came back, or that nobody has heard of since its patch', async () => {
    const lost = jobOf({ state: 'lost', history: states('patching', 'lost') });
    const back = jobOf({ state: 'rolled-back', history: states('rolling-back', 'rolled-back') });
    expect(measure('rollback', [lost, back])).toContainEqual(['rollbacks-failed', 0]);
    const gone = jobOf({ state: 'lost', history: states('rolling-back', 'lost') });
    expect(measure('rollback', [gone])).toContainEqual(['rollbacks-failed', 1]);
  });

  test('is a backup that failed, be it waived or not, and one that is not proven', async () => {
    const warning = { code: 'backup-failed', detail: 'too large' };
    const hosts = {
      'web-1': { answers: { patch: { says: { backup: null, warnings: [warning] } } } },
    };
    const world = await patching({ servers, hosts });
    await carryOut(world, 'w0-0001', 'patch');
    expect(world.measured).toEqual([['backups-failed', 1]]);
    const unproven = { code: 'backup-unproven', detail: '' };
    expect(measure('verify', [jobOf({ reasons: [unproven] })])).toContainEqual(['backups-failed', 1]);
  });

  test('are files that changed: once, by whichever of patch and verification saw them first', async () => {
    const world = await patching({
      servers,
      hosts: { 'web-1': { answers: { patch: found(2), verify: found(3) } } },
    });
    for (const phase of ['patch', 'verify'] as const) await carryOut(world, 'w0-0001', phase);
    expect(world.measured).toEqual([['files-changed', 1]]);
    const later = jobOf({ phases: { patch: resultOf(0), verify: resultOf(1) } });
    expect(measure('verify', [later])).toContainEqual(['files-changed', 1]);
  });
});

const states = (...all: ('patching' | 'rolling-back' | 'rolled-back' | 'lost')[]) =>
  all.map((state) => ({ state, at: '2026-11-21T22:00:00.000Z' }));

function resultOf(integrityUnexpected: number): PhaseResult {
  return {
    at: '2026-11-21T22:00:00.000Z',
    status: 'Success',
    result: 'patched',
    warnings: [],
    newer: 0,
    found: { integrityUnexpected },
    backup: null,
    rungs: [],
    object: null,
    unproven: null,
    boot: null,
    system: null,
    seconds: {},
  };
}
