/** Backups, changed configuration and hooks on real apt, and what becomes of the patch where they fail. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { archiveSchema } from '../../core/backup.ts';
import { type Hook, hookSchema } from '../../core/hook.ts';
import { sha256Of } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import { backupBucket, documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, version, waiting } from './apt-fleet.ts';
import { shell } from './observe.ts';

const names = [
  'whole',
  'refused',
  'waived',
  'large',
  'moving',
  'cut',
  'moments',
  'drained',
  'hung',
  'altered',
];

const shipped = (version: string) =>
  plain('conf-tool', version, {
    files: { '/etc/conf-tool.conf': { conffile: true, content: `shipped with ${version}\n` } },
  });

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names,
    installed: [shipped('1.0-1'), plain('tool', '1.0-1'), plain('slow-tool', '1.0-1'), plain('lib', '1.0-1')],
    automatic: ['lib'],
  });
});

afterAll(() => fleet?.close());

const terms = { never: [], backup: { paths: ['/etc'], exclude: ['/etc/left-out'] } };
const parameters = { Backup: 'required', BackupBucket: backupBucket, BackupMebibytes: '8' };

const hook = (name: string, more: Partial<Hook> = {}): Hook =>
  hookSchema.parse({ name, when: 'before-patch', run: { path: `/usr/local/sbin/${name}` }, ...more });

const script = (host: Host, name: string, body: string) =>
  host.writeFile(`/usr/local/sbin/${name}`, `#!/bin/sh\nset -e\n${body}\n`, 0o755);

/** Prepares and patches while a newer `tool` is published. */
const patched = (host: Host, trial: Parameters<AptFleet['run']>[2]) =>
  fleet.whilePublished('stable', [plain('tool', '1.1-1')], async () => {
    const { plan } = await fleet.prepare(host, { parameters: trial?.parameters ?? {} });
    return fleet.run(host, 'patch', { ...trial, plan });
  });

/** Unpacks an archive of a backup and runs tar over it. */
function tar(content: Uint8Array | undefined, ...words: readonly string[]): string {
  const unpacked = spawnSync('gzip', ['-dc'], { input: content ?? '', maxBuffer: 2 ** 28 });
  const { stdout, stderr } = spawnSync('tar', [...words, '--file', '-'], {
    input: unpacked.stdout,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

describe('a backup before a patch by apt', () => {
  it('has all that was there, and says where packages are from, who asked for them and which are held', async () => {
    const host = fleet.host('whole');
    await shell(
      host,
      `apt-mark -q hold slow-tool; mkfifo /etc/fifo; ln -s conf-tool.conf /etc/link; ln /etc/conf-tool.conf /etc/hard
       mkdir -p /etc/mounted && mount -t tmpfs none /etc/mounted && echo x >/etc/mounted/x; echo x >/etc/left-out
       chown 1234:4321 /etc/link -h; install -o 12 -g 34 -m 2751 /bin/true /etc/run-me; printf x >"$(printf '/etc/new\\nline')"`,
    );
    await fleet.whilePublished(
      'stable',
      [shipped('1.1-1'), plain('tool', '1.0-1'), plain('lib', '1.0-1')],
      async () => {
        const { plan } = await fleet.prepare(host);
        const { summary, sections } = await fleet.run(host, 'patch', { plan, terms, parameters });
        expect(summary).toMatchObject({
          result: 'patched',
          reasons: [],
          warnings: [],
          found: { configurationChanged: 1 },
        });
        const archive = await fleet.backups.get(summary.backup?.key ?? '');
        expect(sha256Of(archive ?? '')).toBe(summary.backup?.sha256);
        const listed = tar(archive, '--list', '--verbose', '--numeric-owner').trimEnd().split('\n');
        expect(listed).toHaveLength(summary.backup?.files ?? 0);
        const entry = (name: string) => listed.find((line) => line.includes(` ./etc/${name}`));
        expect(entry('link')).toMatch(/^lrwxrwxrwx 1234\/4321 .* -> conf-tool.conf$/);
        expect(entry('run-me')).toMatch(/^-rwxr-s--x 12\/34 /);
        expect(entry('hard')).toMatch(/^-/);
        expect(entry(String.raw`new\nline`)).toMatch(/^-/);
        expect([entry('fifo'), entry('mounted/x'), entry('left-out')]).toEqual([
          undefined,
          undefined,
          undefined,
        ]);
        expect(tar(archive, '--extract', '--to-stdout', './etc/conf-tool.conf')).toBe('shipped with 1.0-1\n');
        const { manifest = [], configuration } = readSections(sections);
        expect(tar(archive, '--extract', '--to-stdout', 'manifest.tsv')).toBe(sections.get('manifest'));
        expect(manifest.filter(({ name }) => ['tool', 'lib', 'slow-tool'].includes(name))).toMatchObject([
          { name: 'lib', origin: expect.stringContaining('trixie/main'), mark: 'automatic', held: false },
          { name: 'slow-tool', origin: null, mark: 'manual', held: true },
          {
            name: 'tool',
            version: '1.0-1',
            origin: expect.stringContaining('trixie/main'),
            mark: 'manual',
            held: false,
          },
        ]);
        expect(configuration?.map(({ path }) => path)).toEqual(['/etc/conf-tool.conf']);
      },
    );
  });

  it('that the bucket refuses means no patch, and nothing was touched', async () => {
    const host = fleet.host('refused');
    const { summary } = await patched(host, {
      terms,
      parameters: { ...parameters, BackupBucket: 'quarterdeck-nowhere' },
    });
    expect(summary).toMatchObject({ code: 1, result: 'refused', backup: null, facts: { installed: false } });
    expect(summary.reasons).toHaveLength(1);
    expect(summary.reasons[0]?.code).toBe('backup-failed');
    expect(summary.reasons[0]?.detail).toMatch(
      /^the archive of \d+ bytes could not be sent: PUT backups\/.*HTTP 404/,
    );
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
    const kept = await shell(
      host,
      'cd /var/lib/quarterdeck/2027-q1-refused; ls state/transaction.* configuration',
    );
    expect(kept.stdout).toBe('configuration:\n');
  });

  it('that the bucket refuses is a warning where the policy waives it, and a rollback has its files all the same', async () => {
    const host = fleet.host('waived');
    await host.writeFile('/etc/conf-tool.conf', 'shipped with 1.0-1\n', 0o644);
    await fleet.whilePublished('stable', [shipped('1.1-1')], async () => {
      const waived = { ...parameters, Backup: 'best-effort', BackupBucket: 'quarterdeck-nowhere' };
      const { plan } = await fleet.prepare(host, { parameters: waived });
      const { summary } = await fleet.run(host, 'patch', {
        plan,
        terms,
        parameters: { ...waived, Reboot: 'always' },
      });
      expect(summary).toMatchObject({
        result: 'patched',
        backup: null,
        reasons: [],
        facts: { rebooted: true },
      });
      expect(summary.warnings).toHaveLength(1);
      expect(summary.warnings[0]?.detail).toMatch(
        /^patched without a backup, as the policy allows: the archive of/,
      );
      const original = '/var/lib/quarterdeck/2027-q1-waived/configuration/originals/etc/conf-tool.conf';
      expect(await host.readFile(original)).toBe('shipped with 1.0-1\n');
    });
  });

  it('that is larger than the policy allows is none, and both sizes are said', async () => {
    const host = fleet.host('large');
    await host.writeFile('/etc/large', randomBytes(3 * 1024 ** 2).toString('hex'), 0o600);
    const { summary } = await patched(host, { terms, parameters: { ...parameters, BackupMebibytes: '2' } });
    expect(summary.reasons[0]?.detail).toMatch(
      /^packed, \d+ files with 6 MiB are more than the 2 MiB that an archive may have$/,
    );
    expect((await shell(host, 'ls /var/lib/quarterdeck/2027-q1-large/configuration')).stdout).toBe('');
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
  });

  it('does not mind files that come, go and grow while it reads them', async () => {
    const host = fleet.host('moving');
    const busy =
      'i=0; while :; do i=$((i+1)); mkdir -p /etc/busy; echo $i >/etc/busy/$((i % 200)); rm -f /etc/busy/$(((i + 100) % 200)); done';
    const moving = host.run({ argv: ['sh', '-c', busy] });
    try {
      const { summary } = await patched(host, { terms, parameters });
      expect(summary).toMatchObject({ result: 'patched', reasons: [] });
      const archive = await fleet.backups.get(summary.backup?.key ?? '');
      expect(tar(archive, '--list').trimEnd().split('\n')).toHaveLength(summary.backup?.files ?? 0);
    } finally {
      moving.kill();
      await moving.done;
    }
  });

  it('is made once, and knows what changed also after the power was cut in the transaction', async () => {
    const host = fleet.host('cut');
    await fleet.whilePublished('stable', [shipped('1.1-1'), waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host);
      const order = await fleet.order(host, 'patch', { plan, terms, parameters });
      const work = startStep(host, documentOf('patch'), 'work', order);
      await until(host, '/run/reached');
      const { key } = archiveSchema.parse(JSON.parse(await stateOf(host, 'backup')));
      const first = await fleet.backups.get(key);
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/etc/after-the-cut', '', 0o644);
      await host.writeFile('/run/go', '', 0o644);
      const { summary } = await runDocument(host, documentOf('patch'), order);
      expect(summary).toMatchObject({ result: 'patched', reasons: [] });
      expect(summary.backup?.sha256).toBe(sha256Of(first ?? ''));
      expect(Buffer.from((await fleet.backups.get(key)) ?? [])).toEqual(Buffer.from(first ?? []));
      const folder = '/var/lib/quarterdeck/2027-q1-cut/configuration';
      expect(await host.readFile(`${folder}/originals/etc/conf-tool.conf`)).toBe('shipped with 1.0-1\n');
      expect((await shell(host, `cut -f 1,2,5 ${folder}/index`)).stdout).toContain(
        '/etc/conf-tool.conf\tf\tf\n',
      );
      expect((await shell(host, `ls ${folder}`)).stdout).toBe('index\noriginals\n');
    });
  });

  it('is whole at whatever moment the power is cut, with what changed and hooks that ran to their end', async () => {
    const host = fleet.host('moments');
    await script(host, 'before', 'sleep 0.2; echo before >>/var/tmp/hooks');
    await script(host, 'after', 'sleep 0.2; echo after >>/var/tmp/hooks');
    const asked = { hooks: [hook('before'), hook('after', { when: 'after-patch' })] };
    let previous = '1.0-1';
    for (const delay of [200, 500, 900, 1400, 2000, 2800]) {
      const campaign = `2027-q1-moment-${delay}`;
      const next = `2.${delay}-1`;
      await shell(host, 'rm -f /var/tmp/hooks');
      await fleet.whilePublished('stable', [shipped(next)], async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        const order = await fleet.order(host, 'patch', { plan, campaign, terms, parameters, asked });
        const work = startStep(host, documentOf('patch'), 'work', order);
        await sleep(delay);
        await host.powerCut();
        await work.exit;
        await host.reboot();
        const { summary } = await runDocument(host, documentOf('patch'), order);
        expect(summary, `after ${delay} ms`).toMatchObject({ result: 'patched', reasons: [], warnings: [] });
        const archive = await fleet.backups.get(summary.backup?.key ?? '');
        expect(sha256Of(archive ?? '')).toBe(summary.backup?.sha256);
        expect(tar(archive, '--extract', '--to-stdout', './etc/conf-tool.conf')).toBe(
          `shipped with ${previous}\n`,
        );
        const folder = `/var/lib/quarterdeck/${campaign}/configuration`;
        expect(await host.readFile(`${folder}/originals/etc/conf-tool.conf`)).toBe(
          `shipped with ${previous}\n`,
        );
        expect((await shell(host, `cut -f 1 ${folder}/index`)).stdout).toContain('/etc/conf-tool.conf\n');
        expect((await host.readFile('/var/tmp/hooks')) ?? '').toMatch(/^(before\n)+(after\n)+$/);
      });
      previous = next;
    }
  });
});

async function stateOf(host: Host, key: string): Promise<string> {
  const text = (await host.readFile('/var/lib/quarterdeck/2027-q1-cut/state/patch')) ?? '';
  return (
    text
      .split('\n')
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1) ?? ''
  );
}

describe('hooks around a patch by apt', () => {
  const app = '[Service]\nExecStart=/bin/sleep infinity\n';

  it('take a service out of use before and back after the restart', async () => {
    const host = fleet.host('drained');
    await host.writeFile(
      '/etc/systemd/system/app.service',
      `${app}[Install]\nWantedBy=multi-user.target\n`,
      0o644,
    );
    await shell(host, 'systemctl enable --now app.service');
    await script(
      host,
      'drain',
      'systemctl stop app.service; systemctl disable app.service; echo drained >>/var/tmp/seen',
    );
    await script(
      host,
      'undrain',
      'uptime >/dev/null; systemctl enable --now app.service; echo undrained >>/var/tmp/seen',
    );
    const hooks = [
      hook('drain', { undo: { path: '/usr/local/sbin/undrain' } }),
      hook('undrain', { when: 'after-patch' }),
    ];
    const asked = { hooks, services: ['app.service'] };
    const { summary, sections, workExits } = await patched(host, { asked, parameters: { Reboot: 'always' } });
    expect(workExits).toEqual([194, 0]);
    expect(summary).toMatchObject({
      result: 'patched',
      reasons: [],
      facts: { healthy: true, rebooted: true },
    });
    expect(await host.readFile('/var/tmp/seen')).toBe('drained\nundrained\n');
    expect(readSections(sections).hooks).toMatchObject([
      { moment: 'before-patch', name: 'drain', kind: 'run', verdict: 'ok', code: 0 },
      { moment: 'after-patch', name: 'undrain', kind: 'run', verdict: 'ok', code: 0 },
    ]);
  });

  it('give it back where the patch is refused, and leave none of their processes behind', async () => {
    const host = fleet.host('hung');
    await host.writeFile('/etc/systemd/system/app.service', app, 0o644);
    await shell(host, 'systemctl start app.service');
    await script(host, 'drain', 'systemctl stop app.service');
    await script(host, 'undrain', 'systemctl start app.service');
    await script(host, 'hang', "trap '' TERM; sh -c \"trap '' TERM; sleep 600\" & sleep 600; sleep 600");
    const undo = { path: '/usr/local/sbin/undrain' };
    const hooks = [hook('drain', { undo }), hook('hang', { timeoutSeconds: 1 })];
    const { summary } = await patched(host, { asked: { hooks } });
    expect(summary).toMatchObject({ result: 'refused', found: { hooksFailed: 1 } });
    expect(summary.reasons).toEqual([{ code: 'hook-failed', detail: 'hook hang was not over in its time' }]);
    expect((await shell(host, 'systemctl is-active app.service; pgrep -c sleep')).stdout).toBe('active\n1\n');
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
  });

  it('from the bucket run only as they were sealed into the policy', async () => {
    const host = fleet.host('altered');
    await fleet.objects.put('hooks/notify.sh', '#!/bin/sh\n: >/var/tmp/altered\n');
    const run = { object: 'hooks/notify.sh', sha256: sha256Of('#!/bin/sh\n') };
    const { summary } = await patched(host, { asked: { hooks: [hook('notify', { run })] } });
    expect(summary).toMatchObject({ result: 'refused', reasons: [{ code: 'hook-failed' }] });
    expect(await host.readFile('/var/tmp/altered')).toBeUndefined();
    expect(await version(host, 'tool')).toBe('1.0-1 ii');
  });
});
