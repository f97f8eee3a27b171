import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { hookSchema } from '../../core/hook.ts';
import type { PlanEntry } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import type { Probe } from '../../core/validation.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, version } from './apt-fleet.ts';
import { shell } from './observe.ts';
import { askedOfWeb, etc, restartWeb, webFiles } from './web-package.ts';

let fleet: AptFleet;

const web = (release: string, configuration: string, then = ':'): PackageSpec => ({
  name: 'web',
  version: release,
  files: webFiles(configuration),
  scripts: { postinst: `#!/bin/sh\nset -e\n${then}\n${restartWeb}\n` },
});

const good = web('1.0-1', 'status 200\n');
/** Its own new configuration can not be read. */
const misconfigured = web('1.1-1', 'statsu 200\n');
/** Its script changes configuration that is not its own, as no package should. */
const meddling = web(
  '1.1-1',
  'status 200\n',
  `echo 'status 500' >>/etc/web/local.conf; echo new >/etc/web/added; rm /etc/web/gone
ln -sfn added /etc/web/link; chmod 0600 /etc/web/open`,
);

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['bad-file', 'meddled', 'edited', 'killed', 'broken', 'hooked', 'kernel'],
    installed: [good, plain('tool', '1.0-1')],
  });
  await fleet.sandbox.repository.publish('stable', [good]);
});

afterAll(() => fleet?.close());

const trial = { terms: etc, asked: askedOfWeb };
const ready = (host: Host) =>
  shell(
    host,
    `cd /etc/web && printf '# mine\\nstatus 200\\n' >local.conf && chown 33:44 local.conf && chmod 0640 local.conf
    echo before >gone; ln -sfn web.conf link; echo open >open; chmod 0644 open; rm -f added
    systemctl restart web; sleep 6`,
  );
const asItIs = async (host: Host) =>
  (
    await shell(
      host,
      `cd /etc/web && sha256sum web.conf local.conf gone open /usr/lib/web/serve; stat -c '%n %F %a %u:%g' *; readlink link
      curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/`,
    )
  ).stdout;

async function patched(host: Host, update: PackageSpec, campaign: string) {
  return fleet.whilePublished('stable', [update], async () => {
    const { plan } = await fleet.prepare(host, { ...trial, campaign });
    const patch = await fleet.run(host, 'patch', { ...trial, campaign, plan });
    return { plan, patch };
  });
}

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);
const goBack = (host: Host, campaign: string, plan: readonly PlanEntry[], parameters = {}) =>
  fleet.run(host, 'rollback', { ...trial, campaign, plan, parameters });

describe('a service that the new version breaks by its own configuration', () => {
  it('is found by patch and verification, and is back with its files when its package is', async () => {
    const host = fleet.host('bad-file');
    await ready(host);
    const before = await asItIs(host);
    expect(before).toMatch(/200$/);
    const campaign = '2027-q1-bad-file';
    const { plan, patch } = await patched(host, misconfigured, campaign);
    expect(patch.summary).toMatchObject({
      result: 'patched',
      facts: { installed: true, healthy: false },
      found: { servicesDown: 1, probesFailed: 1 },
    });
    await shell(host, 'dpkg -r tool');
    const verified = await fleet.run(host, 'verify', { ...trial, campaign, plan });
    expect(verified.summary).toMatchObject({
      result: 'verified',
      facts: { installed: true, healthy: false },
      found: { servicesDown: 1, probesFailed: 1, outsidePlan: 1 },
    });
    expect(codes(verified.summary.reasons)).toEqual(['units-failed', 'service-down', 'probe-failed']);
    const { validation, outside } = readSections(verified.sections);
    expect(validation?.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['web.service', 'failed'],
      ['web', 'failed'],
    ]);
    // A person's own doing is told, and no more.
    expect(outside).toEqual([{ name: 'tool', architecture: 'all', before: '1.0-1', now: null }]);
    const back = await goBack(host, campaign, plan, { RollbackTo: 'configuration' });
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      facts: { healthy: true },
      found: { servicesDown: 0, probesFailed: 0, configurationChanged: 0 },
      rungs: [{ rung: 'packages', healthy: true }],
    });
    expect(await asItIs(host)).toBe(before);
    expect(await version(host, 'web')).toBe('1.0-1 ii');
  });
});

describe('configuration that a script changed', () => {
  it('is told by a rehearsal, comes back on its own rung, and stays as long as the packages are the last one', async () => {
    const host = fleet.host('meddled');
    await ready(host);
    const before = await asItIs(host);
    const campaign = '2027-q1-meddled';
    const { plan, patch } = await patched(host, meddling, campaign);
    expect(codes(patch.summary.reasons)).toEqual(['probe-failed']);
    expect(patch.summary.found.configurationChanged).toBe(5);
    const after = await asItIs(host);
    for (let time = 0; time < 2; time++) {
      const { summary, sections } = await goBack(host, campaign, plan, {
        DryRun: 'yes',
        RollbackTo: 'configuration',
      });
      expect(summary).toMatchObject({ code: 0, result: 'possible', facts: { healthy: false }, rungs: [] });
      expect(readSections(sections).steps).toEqual([
        { rung: 'packages', action: 'back', subject: 'web', from: '1.1-1', to: '1.0-1' },
        ...['remove added', 'restore gone', 'restore link', 'restore local.conf', 'restore open'].map(
          (words) => {
            const [action, name] = words.split(' ');
            return {
              rung: 'configuration',
              action,
              subject: `/etc/web/${name}`,
              from: null,
              to: null,
            };
          },
        ),
      ]);
      expect(await asItIs(host)).toBe(after);
    }
    await shell(host, `cp -a /var/lib/quarterdeck/${campaign} /var/lib/quarterdeck/2027-q1-packages-only`);
    const packages = await goBack(host, '2027-q1-packages-only', plan, { RollbackTo: 'packages' });
    expect(packages.summary).toMatchObject({
      code: 1,
      result: 'failed',
      reasons: [{ code: 'probe-failed' }],
      rungs: [{ rung: 'packages', healthy: false }],
    });
    expect(await version(host, 'web')).toBe('1.0-1 ii');
    expect((await asItIs(host)).endsWith('500')).toBe(true);
    // The other job finds the package back already, and goes on with what is left.
    const back = await goBack(host, campaign, plan, { RollbackTo: 'configuration' });
    expect(back.summary).toMatchObject({
      code: 0,
      result: 'rolled-back',
      reasons: [],
      warnings: [],
      rungs: [{ rung: 'configuration', healthy: true }],
    });
    expect(await asItIs(host)).toBe(before);
  });

  it('is left as it is where a person changed it since, and told', async () => {
    const host = fleet.host('edited');
    await ready(host);
    const campaign = '2027-q1-edited';
    const { plan } = await patched(host, meddling, campaign);
    await shell(
      host,
      `echo '# by a person' >>/etc/web/local.conf; rm /etc/web/link; ln -s /etc/shadow /etc/web/link`,
    );
    const { summary, sections } = await goBack(host, campaign, plan, { RollbackTo: 'configuration' });
    expect(summary).toMatchObject({
      code: 1,
      result: 'failed',
      reasons: [{ code: 'probe-failed' }],
      warnings: [{ code: 'configuration-kept', detail: expect.stringContaining('/etc/web/local.conf') }],
      rungs: [
        { rung: 'packages', healthy: false },
        { rung: 'configuration', healthy: false },
      ],
    });
    expect(readSections(sections).steps?.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
      'back web',
      'remove /etc/web/added',
      'restore /etc/web/gone',
      'leave /etc/web/link',
      'leave /etc/web/local.conf',
      'restore /etc/web/open',
    ]);
    expect(
      (await shell(host, 'tail -n 1 /etc/web/local.conf; readlink /etc/web/link; cat /etc/web/gone')).stdout,
    ).toBe('# by a person\n/etc/shadow\nbefore\n');
  });
});

describe('a way back that is killed between two rungs', () => {
  it('is taken up where it was', async () => {
    const host = fleet.host('killed');
    await ready(host);
    const before = await asItIs(host);
    const campaign = '2027-q1-killed';
    const { plan } = await patched(host, meddling, campaign);
    const parameters = await fleet.order(host, 'rollback', {
      ...trial,
      campaign,
      plan,
      parameters: { RollbackTo: 'configuration' },
    });
    const work = startStep(host, documentOf('rollback'), 'work', parameters);
    await until(host, `/var/lib/quarterdeck/${campaign}/state/left`);
    work.kill();
    await work.exit;
    const rehearsed = await goBack(host, campaign, plan, { DryRun: 'yes' });
    expect(codes(rehearsed.summary.reasons)).toEqual(['rollback-begun']);
    const { summary } = await runDocument(host, documentOf('rollback'), parameters);
    expect(summary).toMatchObject({
      result: 'rolled-back',
      rungs: [
        { rung: 'packages', healthy: false },
        { rung: 'configuration', healthy: true },
      ],
    });
    expect(await asItIs(host)).toBe(before);
  });
});

describe('a server that is not well before', () => {
  it('is not patched, so that nobody takes its old trouble for the work of the patch', async () => {
    const host = fleet.host('broken');
    await ready(host);
    await shell(host, 'systemctl stop web');
    const { patch } = await patched(host, misconfigured, '2027-q1-broken');
    expect(patch.summary).toMatchObject({
      code: 1,
      result: 'refused',
      reasons: [
        { code: 'not-healthy-before', detail: expect.stringContaining('not active: web.service (inactive)') },
      ],
    });
    expect(await version(host, 'web')).toBe('1.0-1 ii');
  });
});

describe('hooks around a way back', () => {
  it('stop it before anything is touched, or see it through to the server that is well again', async () => {
    const host = fleet.host('hooked');
    await ready(host);
    const campaign = '2027-q1-hooked';
    const { plan } = await patched(host, misconfigured, campaign);
    const told = `#!/bin/sh\necho "$(basename "$0") $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/)" >>/var/tmp/told\n`;
    for (const name of ['drain', 'undrain', 'restore']) await host.writeFile(`/opt/${name}`, told, 0o755);
    await host.writeFile('/opt/refuse', '#!/bin/sh\nexit 3\n', 0o755);
    const hooks = (...names: readonly string[]) =>
      names.map((name) =>
        hookSchema.parse({
          name,
          when: name === 'undrain' ? 'after-rollback' : 'before-rollback',
          run: { path: `/opt/${name}` },
          ...(name === 'drain' && { undo: { path: '/opt/restore' } }),
        }),
      );
    const given = { ...trial, campaign, plan };
    const rehearsed = await fleet.run(host, 'rollback', {
      ...given,
      asked: { ...askedOfWeb, hooks: hooks('drain', 'refuse') },
      parameters: { DryRun: 'yes' },
    });
    expect(rehearsed.summary.result).toBe('possible');
    const refused = await fleet.run(host, 'rollback', {
      ...given,
      asked: { ...askedOfWeb, hooks: hooks('drain', 'refuse', 'undrain') },
    });
    expect(refused.summary).toMatchObject({
      code: 1,
      result: 'refused',
      reasons: [{ code: 'hook-failed' }],
      rungs: [],
    });
    expect(await version(host, 'web')).toBe('1.1-1 ii');
    const back = await fleet.run(host, 'rollback', {
      ...given,
      asked: { ...askedOfWeb, hooks: hooks('drain', 'undrain') },
    });
    expect(back.summary).toMatchObject({ result: 'rolled-back', reasons: [], found: { hooksFailed: 0 } });
    expect((await shell(host, 'cat /var/tmp/told')).stdout).toBe(
      'drain 000\nrestore 000\ndrain 000\nundrain 200\n',
    );
  });
});

describe('a new kernel that runs', () => {
  it('is left by a restart on the last rung, also where patching may not restart', async () => {
    const host = fleet.host('kernel');
    await ready(host);
    const runs = (await shell(host, 'uname -r')).stdout.trim();
    const grub = `set default="\${saved_entry}"
submenu 'Advanced' $menuentry_id_option 'gnulinux-advanced-0a' {
\tmenuentry 'Linux 1.0.0-old' $menuentry_id_option 'gnulinux-1.0.0-old-advanced-0a' {
\t}
}
`;
    await shell(host, `mkdir -p /boot/grub; : >/boot/vmlinuz-1.0.0-old; : >/boot/vmlinuz-${runs}`);
    await host.writeFile('/boot/grub/grub.cfg', grub, 0o644);
    await host.writeFile('/usr/bin/grub-set-default', '#!/bin/sh\necho "$*" >/var/tmp/chosen\n', 0o755);
    const campaign = '2027-q1-kernel';
    const brought = plain(`linux-image-${runs}`, '9.0-1');
    const update = { ...meddling, depends: brought.name };
    const { plan } = await fleet.whilePublished('stable', [brought], () => patched(host, update, campaign));
    const never: Probe = {
      kind: 'command',
      name: 'never',
      command: ['/bin/false'],
      timeoutSeconds: 1,
      tries: 1,
    };
    const stubborn = { ...askedOfWeb, probes: [never] };
    await shell(host, `cp -a /var/lib/quarterdeck/${campaign} /var/lib/quarterdeck/2027-q1-no-further`);
    const far = await fleet.run(host, 'rollback', {
      terms: etc,
      asked: stubborn,
      plan,
      campaign: '2027-q1-no-further',
      parameters: { RollbackTo: 'configuration', Reboot: 'never' },
    });
    expect(far.workExits).toEqual([0]);
    expect(far.summary.warnings).toContainEqual({
      code: 'kernel-left',
      detail: `stays installed, and runs: ${brought.name}`,
    });
    const furthest = {
      terms: etc,
      asked: stubborn,
      plan,
      campaign,
      parameters: { RollbackTo: 'kernel', Reboot: 'never' },
    };
    const rehearsed = await fleet.run(host, 'rollback', {
      ...furthest,
      parameters: { ...furthest.parameters, DryRun: 'yes' },
    });
    expect(readSections(rehearsed.sections).steps?.map(({ rung, action }) => `${rung} ${action}`)).toEqual(
      expect.arrayContaining(['packages leave', 'kernel boot']),
    );
    const { summary, workExits } = await fleet.run(host, 'rollback', furthest);
    // Containers start with the kernel of their machine, so this one can not come back with the other.
    expect(workExits).toEqual([194, 0]);
    expect(summary).toMatchObject({
      code: 1,
      result: 'failed',
      facts: { rebooted: true, healthy: false, rebootPending: true },
      rungs: [{ rung: 'kernel', healthy: false }],
    });
    expect(codes(summary.reasons)).toEqual(['probe-failed', 'reboot-ineffective']);
    expect((await shell(host, 'cat /var/tmp/chosen')).stdout).toBe(
      'gnulinux-advanced-0a>gnulinux-1.0.0-old-advanced-0a\n',
    );
  });
});
