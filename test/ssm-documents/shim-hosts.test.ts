import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, runDocument, startStep } from '../support/run-document.ts';
import {
  installedVersions,
  type ShimTrial,
  serverId,
  spec,
  startShimTrial,
  until,
  waitingScript,
} from './shim-trial.ts';

let trial: ShimTrial | undefined;

afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

async function start(...words: Parameters<typeof startShimTrial>): Promise<ShimTrial> {
  trial = await startShimTrial(...words);
  return trial;
}

describe('the documents on a shim host', () => {
  it('take a server through the demonstration: plan, patch, reboot, verify', async () => {
    const { host, prepare, run } = await start();
    const { run: prepared, plan } = await prepare(host, { exclusions: ['tide-*'] });
    expect(prepared.summary).toMatchObject({ code: 0, result: 'planned', reasons: [] });
    expect(prepared.summary.warnings.map(({ code }) => code)).toEqual(['kept-back']);
    expect(plan.map(({ action, name, from, to, security }) => [action, name, from, to, security])).toEqual([
      ['install', 'libbuoy-data', null, '0.9.5-1', false],
      ['upgrade', 'anchor-tools', '1:5.2-2', '1:5.2-2+deb13u1', true],
      ['upgrade', 'harbor-common', '1.8-1', '1.9-1', false],
      ['upgrade', 'harbor-httpd', '2.4.57-1', '2.4.57-2', false],
      ['upgrade', 'harbor-kernel', '6.12.27-1', '6.12.30-1', true],
      ['upgrade', 'libharbor2', '2.4.1-3', '2.4.1-3+deb13u1', true],
      ['upgrade', 'lighthouse-agent', '3.1.0-1', '3.2.0-1', false],
    ]);
    const patched = await run(host, 'patch', { plan });
    expect(patched.workExits).toEqual([194, 0]);
    expect(patched.summary).toMatchObject({
      code: 0,
      result: 'patched',
      reasons: [],
      facts: { installed: true, rebootPending: false, rebooted: true, healthy: true, compliant: true },
    });
    expect(await installedVersions(host)).toMatchObject({
      'anchor-tools': '1:5.2-2+deb13u1 ii',
      'fog-signal': '1.2-4 hi',
      'tide-tables': '2026a-0+deb13u1 ii',
    });
    const verified = await run(host, 'verify', { plan });
    expect(verified.summary).toMatchObject({
      result: 'verified',
      newer: 0,
      facts: { installed: true, rebootPending: false, rebooted: true, healthy: true, compliant: true },
    });
  });

  it('fail where the fleet was told to', async () => {
    const { host, prepare, run } = await start(undefined, serverId);
    const { plan } = await prepare(host);
    const { summary, exit } = await run(host, 'patch', { plan });
    expect(exit).toBe(1);
    expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: false } });
    expect(summary.reasons[0]?.detail).toContain('harbor-httpd');
  });

  it('bring security updates alone, also when a newer one hides them', async () => {
    const { host, prepare, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable-security', [spec('lib', '1.0-1+deb13u1')]);
    await fleet.repository.publish('stable', [spec('lib', '2.0-1')]);
    const { plan } = await prepare(host, { parameters: { Mode: 'security' } });
    expect(plan.map(({ to }) => to)).toEqual(['1.0-1+deb13u1']);
  });

  it('install what was sealed when something newer was published since', async () => {
    const { host, prepare, run, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
    const { plan } = await prepare(host);
    await fleet.repository.withdraw('stable', 'lib', '1.1-1');
    await fleet.repository.publish('stable', [spec('lib', '1.2-1')]);
    const { summary } = await run(host, 'patch', { plan });
    expect(summary).toMatchObject({ result: 'patched', newer: 1 });
    expect(await installedVersions(host)).toEqual({ lib: '1.1-1 ii' });
  });

  it('tell nothing to do from no repositories, and from a broken one', async () => {
    const { host, run, fleet } = await start([spec('lib', '1.0-1')]);
    const configured = (await host.readFile('/etc/apt/sources.list')) ?? '';
    const reasonWith = async (sources: string) => {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
      const { summary } = await run(host, 'prepare');
      return [summary.code, summary.result, summary.reasons[0]?.code];
    };
    expect(await reasonWith('')).toEqual([103, 'blocked', 'no-repositories']);
    expect(await reasonWith('deb copy:/nowhere trixie main\n')).toEqual([
      103,
      'blocked',
      'repository-unreachable',
    ]);
    expect(await reasonWith(configured)).toEqual([103, 'blocked', 'repository-empty']);
    await fleet.repository.publish('stable', [spec('lib', '1.0-1')]);
    expect(await reasonWith(configured)).toEqual([2, 'nothing-to-do', undefined]);
  });

  it('finish a transaction that lost its server, and find one that outlived its work step', async () => {
    const { host, prepare, order, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable', [spec('lib', '1.1-1', waitingScript())]);
    const { plan } = await prepare(host);
    const parameters = await order(host, 'patch', { plan });
    const killed = startStep(host, documentOf('patch'), 'work', parameters);
    await until(host, '/run/reached');
    killed.kill();
    await killed.exit;
    const interrupted = await readSummary(host, documentOf('patch'), parameters);
    expect(interrupted.summary.reasons[0]?.detail).toContain('still running');

    const cut = startStep(host, documentOf('patch'), 'work', parameters);
    await sleep(200);
    await host.powerCut();
    await cut.exit;
    expect(host.online()).toBe(false);
    await host.reboot();
    expect(await installedVersions(host)).toEqual({ lib: '1.1-1 iF' });

    await host.writeFile('/run/go', '', 0o644);
    const { summary } = await runDocument(host, documentOf('patch'), parameters);
    expect(summary).toMatchObject({ result: 'patched', facts: { installed: true, rebooted: true } });
    expect(await installedVersions(host)).toEqual({ lib: '1.1-1 ii' });
  });

  it('read parameters alike on agents that know environment variables and on those that do not', async () => {
    const { host, prepare, run, fleet } = await start([spec('lib', '1.0-1')]);
    await fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
    const { plan, run: prepared } = await prepare(host, { interpolation: 'text' });
    expect(prepared.summary.warnings.map(({ code }) => code)).toEqual(['agent-old']);
    const { summary } = await run(host, 'patch', { plan, interpolation: 'text' });
    expect(summary).toMatchObject({ result: 'patched', warnings: [] });
  });

  it('say truly that the work step left no trace', async () => {
    const { host, order } = await start();
    const parameters = await order(host, 'prepare');
    const { summary, exit } = await readSummary(host, documentOf('prepare'), parameters);
    expect(exit).toBe(1);
    expect(summary).toMatchObject({
      result: 'failed',
      code: 1,
      server: serverId,
      reasons: [{ code: 'not-started' }],
    });
  });

  it('leave nothing running and nothing on disk', async () => {
    const { host, fleet: opened } = await start();
    host.run({ argv: ['bash', '-c', 'setsid sleep 1000 & sleep 1000'] });
    const root = opened.repository.folder;
    await sleep(100);
    await opened.close();
    const { readdir } = await import('node:fs/promises');
    await expect(readdir(root)).rejects.toThrow('ENOENT');
    expect(host.online()).toBe(false);
  });
});
