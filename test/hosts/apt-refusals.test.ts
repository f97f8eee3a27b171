import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../core/plan.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain, until, version, waiting } from './apt-fleet.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['drift', 'files', 'lock', 'room', 'broken', 'orders'],
    installed: ['tool', 'bystander', 'slow-tool', 'old-half', 'new-half'].map((name) => plain(name, '1.0-1')),
  });
});

afterAll(() => fleet?.close());

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

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
        reasons: [{ code: 'packages-broken' }],
      });
      expect(prepare.summary.reasons[0]?.detail).toContain('wreck');
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        code: 101,
        result: 'refused',
        reasons: [{ code: 'packages-broken' }],
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

  it('when names in its order could be read as options or by a shell', async () => {
    const host = fleet.host('orders');
    await fleet.whilePublished('stable', [newTool], async () => {
      const campaign = '2027-q1-hostile';
      const { plan } = await fleet.prepare(host, { campaign });
      const { OrderKey, ...parameters } = await fleet.order(host, 'patch', {
        campaign,
        plan,
        terms: { never: ['safe'] },
      });
      const order = Buffer.from((await fleet.objects.get(OrderKey ?? '')) ?? '').toString();
      for (const hostile of [
        order.replaceAll('\ttool\t', '\t--force-all\t'),
        order.replace('never\tsafe', 'never\t$(touch /root/owned)'),
        order.replace('never\tsafe', 'select\ta;touch /root/owned'),
        order.replace('never\tsafe', 'repository\tenable\ta b'),
      ]) {
        const hash = sha256Of(hostile);
        await fleet.objects.put(`orders/${hash}.txt`, hostile);
        const changed = { ...parameters, OrderKey: `orders/${hash}.txt`, OrderSha256: hash };
        const { summary } = await runDocument(host, documentOf('patch'), changed);
        expect(codes(summary.reasons), hostile).toEqual(['order-malformed']);
        await shell(host, `rm -r /var/lib/quarterdeck/${campaign}/state/patch*`);
      }
      expect(await host.readFile('/root/owned')).toBeUndefined();
    });
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
