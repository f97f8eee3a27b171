import { chmod, chown, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type Hook, hookSchema } from '../../core/hook.ts';
import { sha256Of } from '../../core/plan.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument } from '../support/run-document.ts';
import {
  cutPowerInPatch,
  installedVersions,
  type ShimTrial,
  serverId,
  spec,
  startShimTrial,
} from './shim-trial.ts';

let trial: ShimTrial | undefined;

afterEach(async () => {
  await trial?.fleet.close();
  trial = undefined;
});

/** A server with one update to install, and the folder that it is. */
async function start(postinst?: string) {
  trial = await startShimTrial([spec('lib', '1.0-1')]);
  const { host } = trial;
  await trial.fleet.repository.publish('stable', [spec('lib', '1.1-1', postinst)]);
  const { plan } = await trial.prepare(host);
  const { stdout } = host.run({ argv: ['bash', '-c', 'printf %s "$QD_ROOT"'] });
  return { ...trial, plan, root: await text(stdout) };
}

const hook = (name: string, more: Partial<Hook> = {}): Hook =>
  hookSchema.parse({ name, when: 'before-patch', run: { path: `/opt/${name}` }, ...more });

/** Scripts write into the host's `/told` what they are told, each on a line. */
const write = (host: Host, root: string, name: string, body = '', mode = 0o755) =>
  host.writeFile(
    `/opt/${name}`,
    `#!/bin/bash\nread -r told\nprintf '%s %s\\n' ${name} "$told" >>${root}/told\n${body}\n`,
    mode,
  );

const told = async (host: Host) =>
  ((await host.readFile('/told')) ?? '')
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      return { by: line.slice(0, space), ...JSON.parse(line.slice(space)) };
    });

const version = async (host: Host) => (await installedVersions(host)).lib;

/** A server that lost its power in a hook with an undo, and is on again; and what the patch is sent once more. */
async function cutOffInDrain() {
  const started = await start();
  const { host, order, plan, root } = started;
  await write(host, root, 'drain', `: >${root}/reached; sleep 60`);
  await write(host, root, 'undrain');
  const asked = { hooks: [hook('drain', { undo: { path: '/opt/undrain' } })] };
  const parameters = await order(host, 'patch', { plan, asked });
  await cutPowerInPatch(host, parameters, '/reached');
  return { ...started, parameters };
}

describe('hooks around a patch', () => {
  it('run in the order of the policy, each with what it has to know', async () => {
    const { host, run, plan, root } = await start();
    for (const name of ['stop-app', 'drain', 'undrain']) await write(host, root, name);
    const hooks = [
      hook('undrain', { when: 'after-patch' }),
      hook('stop-app'),
      hook('drain', { timeoutSeconds: 5 }),
    ];
    const { summary, sections } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({
      result: 'patched',
      reasons: [],
      warnings: [],
      found: { hooksFailed: 0 },
    });
    expect((await told(host)).map(({ by }) => by)).toEqual(['stop-app', 'drain', 'undrain']);
    expect((await told(host))[1]).toEqual({
      by: 'drain',
      schema: 1,
      hook: 'drain',
      moment: 'before-patch',
      campaign: '2027-q1-shim',
      server: serverId,
      deadlineSeconds: 5,
      undo: false,
    });
    expect(sections.get('hooks')?.replaceAll(/\d+$/gm, 'n')).toBe(
      'before-patch\tstop-app\trun\tok\t0\tn\nbefore-patch\tdrain\trun\tok\t0\tn\nafter-patch\tundrain\trun\tok\t0\tn\n',
    );
  });

  it('leave the transaction, the restart and the hooks after it their time', async () => {
    const { host, run, plan, root } = await start();
    for (const name of ['drain', 'undrain']) await write(host, root, name);
    const hooks = [
      hook('drain', { timeoutSeconds: 300 }),
      hook('undrain', { when: 'after-patch', timeoutSeconds: 90 }),
    ];
    const { summary } = await run(host, 'patch', {
      plan,
      asked: { hooks },
      parameters: { TimeBudget: '300', RebootReserve: '60' },
    });
    expect(summary.result).toBe('patched');
    const [before, after] = await told(host);
    // 21 for a transaction of one package, 90 for the hook after it, 60 for a restart and one minute until it begins.
    expect(before.deadlineSeconds).toBeLessThanOrEqual(300 - 21 - 90 - 120);
    expect(before.deadlineSeconds).toBeGreaterThan(20);
    expect(after.deadlineSeconds).toBe(90);
  });

  it('stop the patch when one fails, and are undone with what they said, the last first', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'drain', `echo '{"targets": ["a", "b"]}'`);
    await write(host, root, 'flush', 'echo not for anybody');
    await write(host, root, 'check', 'echo it is broken >&2; exit 3');
    await write(host, root, 'never');
    const undo = { path: '/opt/undo' };
    await write(host, root, 'undo');
    const hooks = [
      hook('drain', { undo }),
      hook('flush', { undo }),
      hook('check', { undo }),
      hook('never', { undo }),
    ];
    const { summary, sections } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({ code: 1, result: 'refused', found: { hooksFailed: 1 } });
    expect(summary.reasons).toEqual([{ code: 'hook-failed', detail: 'hook check ended with 3' }]);
    expect(await version(host)).toBe('1.0-1 ii');
    expect((await told(host)).map(({ by, hook, undo, output }) => [by, hook, undo, output])).toEqual([
      ['drain', 'drain', false, undefined],
      ['flush', 'flush', false, undefined],
      ['check', 'check', false, undefined],
      ['undo', 'check', true, null],
      ['undo', 'flush', true, null],
      ['undo', 'drain', true, { targets: ['a', 'b'] }],
    ]);
    expect(sections.get('log')).toContain('it is broken');
    expect(sections.get('log')).not.toContain('not for anybody');
  });

  it('are undone when the patch is refused for another reason', async () => {
    const { host, run, plan, root } = await start();
    for (const name of ['drain', 'undrain']) await write(host, root, name);
    const hooks = [hook('drain', { undo: { path: '/opt/undrain' } })];
    const { summary } = await run(host, 'patch', {
      plan,
      asked: { hooks },
      parameters: { Backup: 'required' },
    });
    expect(summary.reasons).toEqual([{ code: 'backup-failed', detail: 'no backup bucket was named' }]);
    expect((await told(host)).map(({ by, undo }) => [by, undo])).toEqual([
      ['drain', false],
      ['undrain', true],
    ]);
  });

  it('may fail where the policy only wants to be told', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'notify', 'exit 1');
    const hooks = [
      hook('notify', { onFailure: 'warn' }),
      hook('absent', { onFailure: 'warn', when: 'after-patch' }),
    ];
    const { summary, sections } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({ result: 'patched', reasons: [], found: { hooksFailed: 2 } });
    expect(summary.warnings).toEqual([
      { code: 'hook-failed', detail: 'hook notify ended with 1' },
      { code: 'hook-failed', detail: 'hook absent could not be run' },
    ]);
    expect(sections.get('hooks')).toContain('after-patch\tabsent\trun\tfailed\t-\t0\n');
  });

  it('leave the server unhealthy when one after the patch fails', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'warm-up', 'exit 1');
    const hooks = [hook('warm-up', { when: 'after-patch' })];
    const { summary } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { installed: true, healthy: false },
      reasons: [{ code: 'hook-failed', detail: 'hook warm-up ended with 1' }],
    });
  });

  it('are not forgotten by the verification, which would else call the server well', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'undrain', 'exit 1');
    await write(host, root, 'notify', 'exit 1');
    const hooks = [
      hook('undrain', { when: 'after-patch' }),
      hook('notify', { when: 'after-patch', onFailure: 'warn' }),
    ];
    await run(host, 'patch', { plan, asked: { hooks } });
    const { summary } = await run(host, 'verify', { plan });
    expect(summary).toMatchObject({ result: 'verified', facts: { installed: true, healthy: false } });
    expect(summary.reasons).toEqual([
      { code: 'hook-failed', detail: 'after the patch: hook undrain ended with 1' },
    ]);
  });

  it('are neither undone nor followed by those after it when the transaction failed', async () => {
    const { host, run, plan, root } = await start('#!/bin/sh\nexit 1\n');
    for (const name of ['drain', 'undrain']) await write(host, root, name);
    const hooks = [
      hook('drain', { undo: { path: '/opt/undrain' } }),
      hook('undrain', { when: 'after-patch' }),
    ];
    const { summary } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({ result: 'failed' });
    expect(summary.warnings).toContainEqual({
      code: 'hooks-left',
      detail: 'not undone, since packages were touched: drain',
    });
    expect((await told(host)).map(({ by }) => by)).toEqual(['drain']);
  });

  it.each([
    ['they stop when they are told', 'wait'],
    ['they do not listen', "trap '' TERM; wait; sleep 317.31"],
  ])('end with their time, and their children with them, where %s', async (_, waiting) => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'hang', `(trap '' TERM; sleep 317.31; echo late >${root}/late) &\n${waiting}`);
    const hooks = [hook('hang', { timeoutSeconds: 1 })];
    const { summary } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary).toMatchObject({
      result: 'refused',
      reasons: [{ code: 'hook-failed', detail: 'hook hang was not over in its time' }],
    });
    const { stdout } = host.run({ argv: ['bash', '-c', 'pgrep -fc "^sleep 317.31$" || true'] });
    expect((await text(stdout)).trim()).toBe('0');
  });

  it('end when they print without end', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'chatter', 'yes');
    const { summary } = await run(host, 'patch', { plan, asked: { hooks: [hook('chatter')] } });
    expect(summary.reasons).toEqual([
      { code: 'hook-failed', detail: 'hook chatter was ended: it printed more than 1 MiB' },
    ]);
  });

  it('keep nobody waiting for what they leave running', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'daemon', 'sleep 60 & disown; exit 0');
    const began = Date.now();
    const { summary } = await run(host, 'patch', { plan, asked: { hooks: [hook('daemon')] } });
    expect(summary.result).toBe('patched');
    expect(Date.now() - began).toBeLessThan(40_000);
    // A second command would wait for a lock that the daemon had inherited.
    expect((await run(host, 'patch', { plan })).summary.result).toBe('patched');
  });

  it('run once, however often the phase is interrupted; one that was cut short runs again', async () => {
    const { host, order, plan, root } = await start();
    await write(host, root, 'first');
    await write(host, root, 'slow', `: >${root}/reached; while [ ! -e ${root}/go ]; do sleep 0.05; done`);
    const asked = { hooks: [hook('first'), hook('slow')] };
    const parameters = await order(host, 'patch', { plan, asked });
    await cutPowerInPatch(host, parameters, '/reached');
    await host.writeFile('/go', '', 0o644);
    const { summary } = await runDocument(host, documentOf('patch'), parameters);
    expect(summary.result).toBe('patched');
    expect((await told(host)).map(({ by }) => by)).toEqual(['first', 'slow', 'slow']);
  });

  it('are undone on the next run when they were interrupted and the patch is refused then', async () => {
    const { host, parameters } = await cutOffInDrain();
    await host.writeFile('/opt/drain', '#!/bin/sh\n', 0o644);
    const { summary } = await runDocument(host, documentOf('patch'), parameters);
    expect(summary.reasons[0]?.detail).toBe('hook drain can not be run: /opt/drain is no executable file');
    expect((await told(host)).map(({ by }) => by)).toEqual(['drain', 'undrain']);
  });

  it('are undone on the next run when they were interrupted and there is nothing left to install', async () => {
    const { host, parameters, prepare, run } = await cutOffInDrain();
    // Another campaign installs it meanwhile.
    const other = { campaign: '2027-q1-other' };
    await run(host, 'patch', { ...other, plan: (await prepare(host, other)).plan });
    const { summary } = await runDocument(host, documentOf('patch'), parameters);
    expect(summary.result).toBe('nothing-to-do');
    expect((await told(host)).map(({ by }) => by)).toEqual(['drain', 'undrain']);
  });

  it('are told as one line, however a hook breaks the lines of what it prints', async () => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'drain', `printf '{\n  "running":\r\n\tfalse\n}  \n'`);
    await write(host, root, 'check', 'exit 3');
    await write(host, root, 'undo');
    const hooks = [hook('drain', { undo: { path: '/opt/undo' } }), hook('check')];
    await run(host, 'patch', { plan, asked: { hooks } });
    expect((await told(host)).map(({ by, output }) => [by, output])).toEqual([
      ['drain', undefined],
      ['check', undefined],
      ['undo', { running: false }],
    ]);
  });

  it('do not run where there is nothing to install', async () => {
    const { host, run, root } = await start();
    await write(host, root, 'drain');
    const { summary } = await run(host, 'patch', { plan: [], asked: { hooks: [hook('drain')] } });
    expect(summary.result).toBe('nothing-to-do');
    expect(await told(host)).toEqual([]);
  });
});

/** Who is not root can not; most programs of the machine are somebody else's then. */
async function giveAway(file: string): Promise<void> {
  if (process.getuid?.() === 0) return chown(file, 12345, 0);
  await rm(file);
  await symlink('/bin/true', file);
}

/** The program itself is guarded as it should be, and who is not root chooses which one it is. */
async function linkFromOpenFolder(file: string): Promise<void> {
  const folder = join(file, '../open');
  await mkdir(folder);
  await rename(file, `${file}-itself`);
  await symlink('../drain-itself', join(folder, 'drain'));
  await symlink('open/drain', file);
  await chmod(folder, 0o1777);
}

describe('the script of a hook', () => {
  const script = (root: string) =>
    `#!/bin/bash\nread -r told\nprintf '%s %s\\n' object "$told" >>${root}/told\n`;

  it('may come from the bucket', async () => {
    const { host, run, plan, root, objects } = await start();
    await objects.put('hooks/drain.sh', script(root));
    const object = { object: 'hooks/drain.sh', sha256: sha256Of(script(root)) };
    const { summary } = await run(host, 'patch', {
      plan,
      asked: { hooks: [hook('drain', { run: object })] },
    });
    expect(summary.result).toBe('patched');
    expect((await told(host)).map(({ by }) => by)).toEqual(['object']);
  });

  it('does not run when it is not the one that the policy names', async () => {
    const { host, run, plan, root, objects } = await start();
    await objects.put('hooks/drain.sh', script(root));
    const object = { object: 'hooks/drain.sh', sha256: 'ab'.repeat(32) };
    const { summary } = await run(host, 'patch', {
      plan,
      asked: { hooks: [hook('drain', { run: object })] },
    });
    expect(summary).toMatchObject({ result: 'refused', reasons: [{ code: 'hook-failed' }] });
    expect(summary.reasons[0]?.detail).toContain(
      `the SHA-256 of hooks/drain.sh is ${sha256Of(script(root))}, not abab`,
    );
    expect(await told(host)).toEqual([]);
  });

  const gone = { object: 'hooks/gone.sh', sha256: 'ab'.repeat(32) };
  it.each<[string, Partial<Hook>]>([
    ['an undo', { undo: gone, run: { path: '/opt/drain' } }],
    ['a hook after', { when: 'after-patch', run: gone }],
  ])('is there before the first hook runs, also that of %s', async (_, last) => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'drain');
    const hooks = [hook('drain'), hook('last', last)];
    const { summary } = await run(host, 'patch', { plan, asked: { hooks } });
    expect(summary.reasons[0]?.detail).toContain('hook last can not be run: its script can not be had');
    expect(await told(host)).toEqual([]);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['others can write to it', (file) => chmod(file, 0o757)],
    ['its group can write to it', (file) => chmod(file, 0o775)],
    ['others can write to its folder', (file) => chmod(join(file, '..'), 0o1777)],
    ['it belongs to somebody else', giveAway],
    ['a link to it lies where others can write', linkFromOpenFolder],
  ])('on the server is refused where %s', async (_, open) => {
    const { host, run, plan, root } = await start();
    await write(host, root, 'drain');
    await open(join(root, 'opt/drain'));
    const { summary } = await run(host, 'patch', { plan, asked: { hooks: [hook('drain')] } });
    expect(summary.reasons[0]?.detail).toContain('has to belong to root and to be writable by nobody else');
    expect(await told(host)).toEqual([]);
  });
});
