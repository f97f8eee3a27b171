import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, runDocument, type StartedStep, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain } from './apt-fleet.ts';
import { shell } from './observe.ts';

const names = [
  'drift',
  'files',
  'kill',
  'cut',
  'unpack',
  'lock',
  'source',
  'reboot',
  'room',
  'broken',
  'orders',
  'twins',
  'silent',
  'moments',
];

/** Stops in a maintainer script until /run/go is there. */
const waiting = (version: string, script: 'preinst' | 'postinst'): PackageSpec =>
  plain('slow-tool', version, {
    scripts: {
      [script]: `#!/bin/sh\nset -e\necho "$0" >>/var/tmp/slow-runs\n: >/run/reached\nwhile [ ! -e /run/go ]; do sleep 0.05; done\n`,
    },
  });

const rebooting = plain('kernel-tool', '1.1-1', {
  scripts: { postinst: '#!/bin/sh\n: >/run/reboot-required\necho kernel-tool >>/run/reboot-required.pkgs\n' },
});

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names,
    installed: ['tool', 'bystander', 'slow-tool', 'kernel-tool', 'old-half', 'new-half'].map((name) =>
      plain(name, '1.0-1'),
    ),
  });
});

afterAll(() => fleet?.close());

const version = async (host: Host, name: string) =>
  (await shell(host, `dpkg-query -W -f '\${Version} \${db:Status-Abbrev}' ${name}`)).stdout.trim();

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

async function until(host: Host, path: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await host.readFile(path)) !== undefined) return;
    await sleep(50);
  }
  throw new Error(`${path} never came to be on ${host.name}`);
}

const newTool = plain('tool', '1.1-1');

describe('what has drifted is left alone:', () => {
  it('a package of the plan that was removed since', async () => {
    const host = fleet.host('drift');
    await fleet.whilePublished('stable', [newTool, plain('bystander', '1.1-1')], async () => {
      const { plan } = await fleet.prepare(host);
      await shell(host, 'dpkg --remove bystander');
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        code: 104,
        result: 'drifted',
        reasons: [{ code: 'removed-since' }],
      });
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
    });
  });

  it('a transaction that would now change something else too', async () => {
    const host = fleet.host('drift');
    const campaign = '2027-q1-conflict';
    await fleet.whilePublished('stable', [plain('tool', '1.1-1', { conflicts: 'intruder' })], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      await fleet.whilePublished('stable', [plain('intruder', '1.0-1')], async () => {
        await shell(host, 'apt-get -qq update && apt-get -qq install intruder');
      });
      expect(await version(host, 'intruder')).toBe('1.0-1 ii');
      const patch = await fleet.run(host, 'patch', { plan, campaign });
      expect(patch.summary).toMatchObject({ code: 104, result: 'drifted' });
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
      expect(await version(host, 'intruder')).toBe('1.0-1 ii');
    });
  });

  it('a transaction that would now remove something else too', async () => {
    const host = fleet.host('drift');
    const campaign = '2027-q1-removal';
    const successor = plain('new-half', '2.0-1', { conflicts: 'old-half', replaces: 'old-half' });
    await fleet.whilePublished('stable', [successor], async () => {
      const { plan } = await fleet.prepare(host, { campaign, parameters: { Removals: 'allow' } });
      expect(plan.map(({ action, name }) => `${action} ${name}`)).toEqual([
        'remove old-half',
        'upgrade new-half',
      ]);
      await fleet.whilePublished(
        'stable',
        [plain('dependent', '1.0-1', { depends: 'old-half' })],
        async () => {
          await shell(host, 'apt-get -qq update && apt-get -qq install dependent');
        },
      );
      const patch = await fleet.run(host, 'patch', { plan, campaign, parameters: { Removals: 'allow' } });
      expect(patch.summary).toMatchObject({ code: 104, result: 'drifted' });
      expect(patch.summary.reasons[0]?.detail).toContain('would also remove dependent');
      expect(await version(host, 'dependent')).toBe('1.0-1 ii');
      expect(await version(host, 'old-half')).toBe('1.0-1 ii');
    });
  });

  it('a file that is not the one that was sealed', async () => {
    const host = fleet.host('files');
    await fleet.whilePublished('stable', [newTool], async () => {
      const { plan } = await fleet.prepare(host);
      await shell(
        host,
        'for deb in /var/lib/quarterdeck/*/apt/archives/*.deb; do printf x | dd of=$deb bs=1 seek=200 conv=notrunc; done',
      );
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        code: 106,
        result: 'drifted',
        reasons: [{ code: 'file-altered' }],
      });
      expect(patch.summary.reasons[0]?.detail).toContain('tool_1.1-1_all.deb');
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
    });
  });
});

describe('a transaction that was interrupted is finished', () => {
  it('when the agent killed the work step: it goes on, and the next run finds it', async () => {
    const host = fleet.host('kill');
    await fleet.whilePublished('stable', [newTool, waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      work.kill();
      await work.exit;
      const interrupted = await readSummary(host, documentOf('patch'), parameters);
      expect(interrupted).toMatchObject({ exit: 1, summary: { code: 1, result: 'failed', object: null } });
      expect(interrupted.summary.reasons[0]).toEqual({
        code: 'interrupted',
        detail: 'the work step was ended in stage transaction; its package transaction is still running',
      });
      expect(interrupted.summary.plan?.entries).toBe(2);
      setTimeout(() => void host.writeFile('/run/go', '', 0o644), 300);
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({ code: 0, result: 'patched', facts: { installed: true } });
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(1);
    });
  });

  it.each([
    ['cut', 'postinst'],
    ['unpack', 'preinst'],
  ] as const)('after a power cut (host %s, in a %s)', async (name, script) => {
    const host = fleet.host(name);
    await fleet.whilePublished('stable', [newTool, waiting('1.1-1', script)], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      expect(await version(host, 'slow-tool')).not.toBe('1.1-1 ii');
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        code: 0,
        result: 'patched',
        facts: { installed: true, rebooted: true },
      });
      expect(await version(host, 'slow-tool')).toBe('1.1-1 ii');
      expect(await version(host, 'tool')).toBe('1.1-1 ii');
      expect((await shell(host, 'dpkg --audit; apt-get check')).stdout).not.toMatch(/broken|half/);
    });
  });

  it.each([
    ['kills the work step', 2, (_: Host, work: StartedStep) => work.kill()],
    ['cuts the power', 3, (host: Host) => host.powerCut()],
  ] as const)('at whatever moment something %s', async (_, series, interrupt) => {
    const host = fleet.host('moments');
    for (const delay of [50, 150, 300, 450, 600, 800]) {
      const campaign = `2027-q1-series-${series}-${delay}`;
      const release = plain('tool', `${series}.${delay}-1`, {
        scripts: { postinst: `#!/bin/sh\nsleep 0.2\necho ${campaign} >>/var/tmp/releases\n` },
      });
      await fleet.whilePublished('stable', [release], async () => {
        const { plan } = await fleet.prepare(host, { campaign });
        expect(plan).toHaveLength(1);
        const parameters = await fleet.order(host, 'patch', { plan, campaign });
        const work = startStep(host, documentOf('patch'), 'work', parameters);
        await sleep(delay);
        await interrupt(host, work);
        await work.exit;
        if (!host.online()) await host.reboot();
        const { summary } = await runDocument(host, documentOf('patch'), parameters);
        expect(summary, `after ${delay} ms`).toMatchObject({ result: 'patched', facts: { installed: true } });
        expect(await version(host, 'tool')).toBe(`${release.version} ii`);
      });
    }
    // A script that lost its power runs again; one that only lost who waited for it does not.
    const releases = (await host.readFile('/var/tmp/releases'))?.trim().split('\n') ?? [];
    if (series === 2) expect(new Set(releases).size).toBe(releases.length);
  });

  it('and two commands for one job make one transaction', async () => {
    const host = fleet.host('twins');
    await fleet.whilePublished('stable', [waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host);
      const parameters = await fleet.order(host, 'patch', { plan });
      const both = [1, 2].map(() => runDocument(host, documentOf('patch'), parameters));
      await until(host, '/run/reached');
      await host.writeFile('/run/go', '', 0o644);
      const [one, two] = await Promise.all(both);
      expect(one?.summary).toEqual(two?.summary);
      expect(one?.summary).toMatchObject({ result: 'patched', facts: { installed: true } });
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(1);
    });
  });
});

it('a mirror that no longer answers keeps no sealed plan from being installed', async () => {
  const host = fleet.host('silent');
  await fleet.whilePublished('stable', [newTool], async () => {
    const { plan } = await fleet.prepare(host);
    fleet.sandbox.serveRepository(host.id, () => {});
    const patch = await fleet.run(host, 'patch', { plan });
    expect(patch.summary).toMatchObject({
      result: 'patched',
      newer: 0,
      facts: { installed: true, compliant: true },
      warnings: [{ code: 'newer-unknown' }],
    });
    expect((await shell(host, 'cat /proc/[0-9]*/comm | grep apt-get || echo none')).stdout).toBe('none\n');
    fleet.sandbox.serveRepository(host.id, (request) => void request.socket.destroy());
    const verify = await fleet.run(host, 'verify', { plan, parameters: { MaxMetadataAge: '1' } });
    expect(verify.summary).toMatchObject({ result: 'verified', facts: { compliant: true } });
    expect(codes(verify.summary.warnings)).toContain('repository-unreachable');
  });
});

describe('a locked package database', () => {
  it('is waited for, then blocks or refuses with the name of the holder, and is never unlocked by force', async () => {
    const host = fleet.host('lock');
    await fleet.whilePublished('stable', [newTool, waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await fleet.prepare(host, { exclusions: ['slow-tool'] });
      const other = shell(host, 'apt-get -qq update; exec apt-get -qq install slow-tool');
      await until(host, '/run/reached');
      const blocked = await fleet.run(host, 'prepare', {
        campaign: '2027-q1-locked',
        parameters: { TimeBudget: '4' },
      });
      expect(blocked.summary).toMatchObject({
        code: 102,
        result: 'blocked',
        reasons: [{ code: 'lock-held' }],
      });
      expect(blocked.summary.reasons[0]?.detail).toMatch(/apt-get \(\d+\)/);
      const refused = await fleet.run(host, 'patch', {
        plan,
        campaign: '2027-q1-locked',
        parameters: { TimeBudget: '23' },
      });
      expect(refused.summary).toMatchObject({
        code: 102,
        result: 'refused',
        reasons: [{ code: 'lock-held' }],
      });
      setTimeout(() => void host.writeFile('/run/go', '', 0o644), 1500);
      const patched = await fleet.run(host, 'patch', { plan });
      expect(patched.summary).toMatchObject({ result: 'patched' });
      expect(await other).toMatchObject({ code: 0 });
    });
  });
});

describe('metadata that can not be had or trusted blocks, and is never "nothing to do":', () => {
  const served =
    (change: (path: string, content: Buffer) => Buffer | undefined): RequestListener =>
    (request, response) => {
      const path = request.url ?? '/';
      const gathered: Buffer[] = [];
      const capture = Object.assign(Object.create(response), {
        writeHead: (status: number) => Object.assign(capture, { status }),
        end: (content?: Buffer) => {
          if (content) gathered.push(content);
          const changed = capture.status === 200 ? change(path, Buffer.concat(gathered)) : undefined;
          response.writeHead(changed ? 200 : 404, { 'content-length': changed?.length ?? 0 });
          response.end(changed);
        },
      });
      fleet.sandbox.repository.listener(request, capture);
    };
  const blocked = async (host: Host, listener: RequestListener, campaign: string) => {
    fleet.sandbox.serveRepository(host.id, listener);
    try {
      const { summary, exit } = await fleet.run(host, 'prepare', { campaign });
      expect(exit).toBe(1);
      return { code: summary.code, result: summary.result, reason: summary.reasons[0]?.code };
    } finally {
      fleet.sandbox.serveRepository(host.id, fleet.sandbox.repository.listener);
    }
  };

  it.each<[string, string, RequestListener]>([
    [
      'a repository that does not answer',
      'repository-unreachable',
      (request) => void request.socket.destroy(),
    ],
    [
      'one of two that is gone',
      'repository-unreachable',
      served((path, content) => (path.includes('security') ? undefined : content)),
    ],
    [
      'a signature that is not there',
      'key-untrusted',
      served((path, content) =>
        path.endsWith('InRelease')
          ? Buffer.from(
              content
                .toString()
                .replace(/^-----BEGIN PGP SIGNED[\s\S]*?\n\n/, '')
                .replace(/-----BEGIN PGP SIG[\s\S]*$/, ''),
            )
          : content,
      ),
    ],
    [
      'a signature that is wrong',
      'key-untrusted',
      served((path, content) =>
        path.endsWith('InRelease')
          ? Buffer.from(content.toString().replace('Origin: Debian', 'Origin: Debiam'))
          : content,
      ),
    ],
    [
      'an index that was altered',
      'metadata-altered',
      served((path, content) =>
        path.endsWith('Packages') ? Buffer.concat([content, Buffer.from('\n')]) : content,
      ),
    ],
  ])('%s', async (name, reason, listener) => {
    const host = fleet.host('source');
    await fleet.whilePublished('stable', [newTool], async () => {
      expect(await blocked(host, listener, `2027-q1-${reason}-${name.length}`)).toEqual({
        code: 103,
        result: 'blocked',
        reason,
      });
    });
  });

  it('a package file that was altered on its way', async () => {
    const host = fleet.host('source');
    const altered = served((path, content) =>
      path.endsWith('.deb') ? Buffer.from(content).fill(0, 100, 110) : content,
    );
    await fleet.whilePublished('stable', [newTool], async () => {
      expect(await blocked(host, altered, '2027-q1-altered-deb')).toEqual({
        code: 103,
        result: 'blocked',
        reason: 'download-failed',
      });
    });
  });

  it('a source that turns signature checks off', async () => {
    const host = fleet.host('source');
    const sources = (await host.readFile('/etc/apt/sources.list')) ?? '';
    await host.writeFile(
      '/etc/apt/sources.list',
      sources.replaceAll(/signed-by=\S+(?=\])/g, 'trusted=yes'),
      0o644,
    );
    try {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-trusted' });
      expect(summary).toMatchObject({ code: 103, result: 'blocked', reasons: [{ code: 'key-untrusted' }] });
    } finally {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
    }
  });

  it('no repository at all', async () => {
    const host = fleet.host('source');
    const sources = (await host.readFile('/etc/apt/sources.list')) ?? '';
    await host.writeFile('/etc/apt/sources.list', '', 0o644);
    try {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-nowhere' });
      expect(summary).toMatchObject({ code: 103, result: 'blocked', reasons: [{ code: 'no-repositories' }] });
    } finally {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
    }
  });
});

describe('a reboot', () => {
  const patchKernel = async (campaign: string, parameters: Record<string, string>) => {
    const host = fleet.host('reboot');
    await shell(
      host,
      'dpkg --force-downgrade -i /var/tmp/kernel-tool_1.0-1_all.deb; rm -f /run/reboot-required*',
    );
    return fleet.whilePublished('stable', [rebooting], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      return fleet.run(host, 'patch', { plan, campaign, parameters });
    });
  };

  beforeAll(async () => {
    await fleet.whilePublished('stable', [plain('kernel-tool', '1.0-1')], async () => {
      await shell(
        fleet.host('reboot'),
        'apt-get -qq update && cd /var/tmp && apt-get -q download kernel-tool',
      );
    });
  });

  it('that is needed stays pending where the policy forbids it', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-never', { Reboot: 'never' });
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { rebootPending: true, rebooted: false },
      warnings: [{ code: 'reboot-needed', detail: expect.stringContaining('kernel-tool') }],
    });
  });

  it('does not begin without the time to come back', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-no-time', {
      TimeBudget: '100',
      RebootReserve: '60',
    });
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { rebootPending: true, rebooted: false },
      reasons: [{ code: 'no-time-to-reboot' }],
    });
  });

  it('happens once when it is needed, and the facts are those of the new boot', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-needed', {});
    expect(workExits).toEqual([194, 0]);
    expect(summary).toMatchObject({
      result: 'patched',
      reasons: [],
      facts: { installed: true, rebootPending: false, rebooted: true, healthy: true },
    });
    expect(summary.boot?.before).not.toBe(summary.boot?.after);
  });

  it('is asked for twice at most when the server does not restart', async () => {
    const host = fleet.host('reboot');
    const campaign = '2027-q1-stubborn';
    await fleet.whilePublished('stable', [plain('bystander', '1.1-1')], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      const parameters = await fleet.order(host, 'patch', {
        plan,
        campaign,
        parameters: { Reboot: 'always' },
      });
      const exits: (number | null)[] = [];
      for (let run = 0; run < 4; run++) {
        exits.push((await startStep(host, documentOf('patch'), 'work', parameters).exit).code);
      }
      expect(exits).toEqual([194, 194, 0, 0]);
      const { summary } = await readSummary(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        result: 'patched',
        reasons: [{ code: 'reboot-failed' }],
        facts: { rebooted: false },
      });
    });
  });
});

describe('a server is blocked or refused, and not touched,', () => {
  it('when the plan does not fit on its disk', async () => {
    const host = fleet.host('room');
    const vast = plain('tool', '1.1-1', { installedSize: 900_000_000 });
    await fleet.whilePublished('stable', [vast], async () => {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-disk' });
      expect(summary).toMatchObject({ code: 105, result: 'blocked', reasons: [{ code: 'disk-full' }] });
    });
  });

  it('when its kernels do not fit in /boot', async () => {
    const host = fleet.host('room');
    await shell(
      host,
      'mkdir -p /boot && mount -t tmpfs -o size=40m tmpfs /boot && head -c 15m /dev/zero >/boot/initrd.img-6 && head -c 5m /dev/zero >/boot/vmlinuz-6',
    );
    const kernel = plain('linux-image-7', '7.0-1');
    await fleet.whilePublished(
      'stable',
      [kernel, plain('tool', '1.1-1', { depends: 'linux-image-7' })],
      async () => {
        const tight = await fleet.run(host, 'prepare', { campaign: '2027-q1-boot' });
        expect(tight.summary).toMatchObject({
          code: 105,
          result: 'blocked',
          reasons: [{ code: 'boot-full' }],
        });
        await shell(host, 'mount -o remount,size=70m /boot');
        const wide = await fleet.run(host, 'prepare', { campaign: '2027-q1-boot' });
        expect(wide.summary).toMatchObject({ code: 0, result: 'planned' });
      },
    );
    await shell(host, 'umount /boot');
  });

  it('when the time does not suffice', async () => {
    const host = fleet.host('room');
    await fleet.whilePublished('stable', [newTool], async () => {
      const { plan } = await fleet.prepare(host, { campaign: '2027-q1-time' });
      const { summary } = await fleet.run(host, 'patch', {
        plan,
        campaign: '2027-q1-time',
        parameters: { TimeBudget: '15' },
      });
      expect(summary).toMatchObject({ code: 1, result: 'refused', reasons: [{ code: 'no-time' }] });
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
    });
  });

  it('when its packages were broken by someone else; nothing is repaired', async () => {
    const host = fleet.host('broken');
    await fleet.whilePublished('stable', [newTool], async () => {
      const { plan } = await fleet.prepare(host);
      await shell(
        host,
        'mkdir /run/deb && cd /run/deb && dpkg-deb -R /var/lib/quarterdeck/*/apt/archives/tool_*.deb x && sed -i "s/^Package: .*/Package: wreck/" x/DEBIAN/control && printf "#!/bin/sh\\nexit 1\\n" >x/DEBIAN/postinst && chmod 755 x/DEBIAN/postinst && rm -rf x/usr && dpkg-deb -b x wreck.deb && dpkg -i wreck.deb',
      );
      expect(await version(host, 'wreck')).toBe('1.1-1 iF');
      const prepare = await fleet.run(host, 'prepare', { campaign: '2027-q1-wreck' });
      expect(prepare.summary).toMatchObject({
        code: 101,
        result: 'blocked',
        reasons: [{ code: 'dpkg-broken' }],
      });
      expect(prepare.summary.reasons[0]?.detail).toContain('wreck');
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        code: 101,
        result: 'refused',
        reasons: [{ code: 'dpkg-broken' }],
      });
      expect(await version(host, 'wreck')).toBe('1.1-1 iF');
      expect(await version(host, 'tool')).toBe('1.0-1 ii');
    });
  });

  it('when the order is not what the command says, or not for it', async () => {
    const host = fleet.host('orders');
    const other = fleet.host('room');
    const parameters = await fleet.order(host, 'prepare');
    const wrong = await runDocument(host, documentOf('prepare'), {
      ...parameters,
      OrderSha256: 'ab'.repeat(32),
    });
    expect(codes(wrong.summary.reasons)).toEqual(['order-altered']);
    const missing = await runDocument(host, documentOf('prepare'), {
      ...parameters,
      OrderKey: `orders/${'cd'.repeat(32)}.txt`,
    });
    expect(codes(missing.summary.reasons)).toEqual(['role-cannot-read']);
    const foreign = await runDocument(other, documentOf('prepare'), parameters);
    expect(codes(foreign.summary.reasons)).toEqual(['not-in-order']);
    const late = await runDocument(host, documentOf('patch'), parameters);
    expect(codes(late.summary.reasons)).toEqual(['order-of-another']);
  });

  it('and is not compliant when its release has ended', async () => {
    const host = fleet.host('orders');
    await shell(
      host,
      'cp --remove-destination /usr/lib/os-release /etc/os-release && sed -i s/13/10/ /etc/os-release',
    );
    await fleet.whilePublished('stable', [newTool], async () => {
      const { plan, run } = await fleet.prepare(host, { campaign: '2027-q1-ended', interpolation: 'text' });
      expect(codes(run.summary.warnings)).toEqual(['agent-old', 'release-end-of-life']);
      const patch = await fleet.run(host, 'patch', {
        plan,
        campaign: '2027-q1-ended',
        interpolation: 'text',
      });
      expect(patch.summary).toMatchObject({
        result: 'patched',
        facts: { installed: true, compliant: false },
      });
    });
  });
});

describe('without systemd', () => {
  let rootless: AptFleet;
  beforeAll(async () => {
    rootless = await createAptFleet({
      names: ['plain-host'],
      how: 'rootless',
      installed: ['tool', 'slow-tool'].map((name) => plain(name, '1.0-1')),
    });
  });
  afterAll(() => rootless?.close());

  it('a transaction that was killed with its work step is repaired by the next run', async () => {
    const host = rootless.host('plain-host');
    await rootless.whilePublished('stable', [newTool, waiting('1.1-1', 'postinst')], async () => {
      const { plan } = await rootless.prepare(host);
      const parameters = await rootless.order(host, 'patch', { plan });
      const work = startStep(host, documentOf('patch'), 'work', parameters);
      await until(host, '/run/reached');
      await host.powerCut();
      await work.exit;
      await host.reboot();
      await host.writeFile('/run/go', '', 0o644);
      const { summary } = await runDocument(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        result: 'patched',
        facts: { installed: true, rebooted: true, healthy: null },
      });
      expect(await version(host, 'slow-tool')).toBe('1.1-1 ii');
    });
  });
});
