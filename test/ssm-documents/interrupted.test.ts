import { afterEach, describe, expect, it } from 'vitest';
import { hookSchema } from '../../core/hook.ts';
import {
  cutPowerInPatch,
  installedVersions,
  type ShimTrial,
  spec,
  startShimTrial,
  waitingScript,
} from './shim-trial.ts';

let trial: ShimTrial | undefined;
afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

/** A server whose power went while a script of its update ran, and which is on again. */
async function cutOff() {
  trial = await startShimTrial([spec('lib', '1.0-1')]);
  const { host, fleet, prepare, order } = trial;
  await fleet.repository.publish('stable', [spec('lib', '1.0-1')]);
  await fleet.repository.publish('stable', [spec('lib', '1.1-1', waitingScript(':'))]);
  const { plan } = await prepare(host);
  await cutPowerInPatch(host, await order(host, 'patch', { plan }), '/run/reached');
  await host.writeFile('/run/go', '', 0o644);
  return { ...trial, plan };
}

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

describe('a patch that was cut off in its transaction', () => {
  it('keeps the next campaign from preparing, which names what mends it', async () => {
    const { host, prepare } = await cutOff();
    const { run } = await prepare(host, { campaign: '2027-q1-next' });
    expect(run.summary).toMatchObject({ result: 'blocked', reasons: [{ code: 'packages-broken' }] });
    expect(run.summary.reasons[0]?.detail).toContain('mended by a rollback of it: 2027-q1-shim');
  });

  it('is mended by its rollback after the hooks before it, whatever can be brought back then', async () => {
    const { host, run, plan } = await cutOff();
    const before = await installedVersions(host);
    await host.writeFile('/opt/drain', '#!/bin/sh\ncat >>"$(dirname "$0")/told"\n', 0o755);
    const hooks = [hookSchema.parse({ name: 'drain', when: 'before-rollback', run: { path: '/opt/drain' } })];
    const rehearsed = await run(host, 'rollback', { plan, parameters: { DryRun: 'yes' } });
    expect([rehearsed.summary.result, codes(rehearsed.summary.reasons)]).toEqual([
      'refused',
      ['patch-interrupted'],
    ]);
    expect(await installedVersions(host)).toEqual(before);
    const back = await run(host, 'rollback', { plan, asked: { hooks } });
    // These hosts have no way back, so it is refused once packages are whole: at the versions that were begun.
    expect([back.summary.result, codes(back.summary.reasons)]).toEqual(['refused', ['not-covered']]);
    expect(await installedVersions(host)).toEqual({ lib: '1.1-1 ii' });
    const log = back.sections.get('log') ?? '';
    expect(log).toContain('hook drain: run ok');
    expect(log.indexOf('hook drain: run ok')).toBeLessThan(
      log.indexOf('mending what the interrupted patch left'),
    );
    expect((await host.readFile('/opt/told'))?.trim().split('\n')).toHaveLength(1);
  });

  it('is not mended with anything but what it was begun with', async () => {
    const { host, run, plan } = await cutOff();
    await host.writeFile('/var/lib/quarterdeck/2027-q1-shim/state/compared.before', '', 0o600);
    const { summary, sections } = await run(host, 'rollback', { plan });
    expect(sections.get('log')).toContain('what it was begun with is not there any more');
    expect(['refused', 'failed', 'nothing-to-do']).toContain(summary.result);
    expect(summary.rungs).toEqual([]);
  });
});
