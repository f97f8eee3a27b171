import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import { MIRROR_URL } from '../../apps/local/hosts/fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { sha256Of } from '../../core/plan.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument } from '../support/run-document.ts';
import { changes, createDnfFleet, dnfs, kernel, onEveryDnf, versions } from './dnf-fleet.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

const names = ['tool', 'libtool', 'fails', 'clash', 'needy', 'old-half', 'new-half', 'rival'];

let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({
    hosts: { ...onEveryDnf('one', 'two'), ended: 'centos-7' },
    installed: [...names.map((name) => plain(name, '1.0')), kernel('1')],
  });
});
afterAll(() => fleet?.close());

let n = 0;
/** Code, result and first reason of a prepare. */
const prepared = async (host: Host, trial: Parameters<TrialFamilies['prepare']>[1] = {}) => {
  n += 1;
  const { run, plan } = await fleet.prepare(host, { campaign: `2027-q1-case-${n}`, ...trial });
  const { code, result, reasons } = run.summary;
  return { campaign: `2027-q1-case-${n}`, plan, run, told: [code, result, reasons[0]?.code] };
};
const broken = (host: Host) =>
  fleet.fleet.serveRepository(host.id, (_request, response) => void response.writeHead(404).end());
const mended = (host: Host, release: FamilyRelease) =>
  fleet.fleet.serveRepository(host.id, fleet.fleet.repository(release).listener);
const REPOSITORY = '/etc/yum.repos.d/fleet.repo';
const KEY_ADDRESS = `${MIRROR_URL}/main/repodata/repomd.xml.key`;

describe.each(dnfs)(
  'prepare on $manager is blocked, and never says that there is nothing to do,',
  ({ release }) => {
    it('when a repository can not be had, also where the operator has it skipped, or there is none', async () => {
      const host = fleet.host(`one-${release}`);
      await fleet.whilePublished(release, [plain('tool', '1.0')], async () => {
        expect((await prepared(host)).told).toEqual([2, 'nothing-to-do', undefined]);
        broken(host);
        await shell(
          host,
          `echo skip_if_unavailable=True >>/etc/dnf/dnf.conf; sed -i 's/^enabled=1/&\\nskip_if_unavailable=True/' ${REPOSITORY}`,
        );
        expect((await shell(host, 'dnf -q --refresh check-update')).code).toBe(0);
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'repository-unreachable']);
        mended(host, release);
        await shell(host, `mv ${REPOSITORY} /root/`);
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'no-repositories']);
        await shell(host, `mv /root/fleet.repo ${REPOSITORY}`);
      });
      expect((await prepared(host)).told).toEqual([103, 'blocked', 'repository-empty']);
    });

    it('when packages are unsigned, signed by a stranger, or not what the index says', async () => {
      const host = fleet.host(`one-${release}`);
      const foreign = createSigningKey('Someone else', new Date());
      // Also where the operator does not mind.
      await shell(host, `cp ${REPOSITORY} /root/; sed -i s/gpgcheck=1/gpgcheck=0/ ${REPOSITORY}`);
      const update = [plain('tool', '1.1')];
      const told = async (packageKey: null | typeof foreign) =>
        fleet.whilePublished(release, update, async () => (await prepared(host)).told, { packageKey });
      expect(await told(null)).toEqual([107, 'unsupported', 'unsigned']);
      expect(await told(foreign)).toEqual([103, 'blocked', 'key-untrusted']);
      await shell(host, `cp /root/fleet.repo ${REPOSITORY}`);
      await fleet.whilePublished(release, update, async () => {
        fleet.fleet.serveRepository(host.id, (request, response) => {
          if (request.url?.endsWith('.rpm')) response.end('something else');
          else fleet.fleet.repository(release).listener(request, response);
        });
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'download-failed']);
        mended(host, release);
        // A key that a repository names at an address is not fetched, or whoever answers there is trusted.
        await shell(
          host,
          `rpm -e --allmatches gpg-pubkey; sed -i s#gpgkey=.*#gpgkey=${KEY_ADDRESS}# ${REPOSITORY}`,
        );
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'key-untrusted']);
        expect((await shell(host, 'rpm -q gpg-pubkey')).code).toBe(1);
        await shell(host, `cp /root/fleet.repo ${REPOSITORY}`);
        // A key that a repository names as a file of the server is trusted before rpm has taken it up.
        expect((await prepared(host)).told).toEqual([0, 'planned', undefined]);
        await shell(host, 'rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet');
      });
    });

    it('when an index has to be signed and its key is at an address that the operator has not agreed to yet', async () => {
      const host = fleet.host(`one-${release}`);
      const update = [plain('tool', '1.1')];
      await shell(
        host,
        `sed -i 's/^gpgcheck=1/&\\nrepo_gpgcheck=1/' ${REPOSITORY}; cp ${REPOSITORY} /root/signed.repo`,
      );
      await fleet.whilePublished(release, update, async () => {
        // Nothing to agree to where the key is a file of the server.
        expect((await prepared(host)).told).toEqual([0, 'planned', undefined]);
        await shell(host, `sed -i s#gpgkey=.*#gpgkey=${KEY_ADDRESS}# ${REPOSITORY}`);
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'key-untrusted']);
        await shell(host, 'dnf -y --refresh makecache');
        expect((await prepared(host)).told).toEqual([0, 'planned', undefined]);
      });
      await shell(host, `cp /root/signed.repo ${REPOSITORY}`);
      const unsigned = async () =>
        expect((await prepared(host)).told).toEqual([103, 'blocked', 'key-untrusted']);
      await fleet.whilePublished(release, update, unsigned, { indexKey: null });
      await shell(host, `sed -i /^repo_gpgcheck/d ${REPOSITORY}`);
    });

    it('when a dependency is missing; with something kept back, what needs it is left alone and named', async () => {
      const host = fleet.host(`two-${release}`);
      const updates = [
        plain('libtool', '1.1'),
        plain('tool', '1.1', { requires: ['libtool >= 1.1'] }),
        plain('rival', '1.1'),
      ];
      await fleet.whilePublished(release, updates, async () => {
        const { plan, run } = await prepared(host, { exclusions: ['libtool'] });
        expect(changes(plan)).toEqual(['upgrade rival 1.0-1 1.1-1']);
        expect(run.summary.warnings[0]).toMatchObject({
          code: 'kept-back',
          detail: expect.stringContaining('tool'),
        });
      });
      await fleet.whilePublished(
        release,
        [plain('needy', '1.1', { requires: ['absent >= 2'] })],
        async () => {
          const { told, run } = await prepared(host);
          expect(told).toEqual([100, 'blocked', 'resolver-failed']);
          expect(run.summary.reasons[0]?.detail).toContain('absent');
        },
      );
    });

    it('when what it wants removes packages, which only the policy allows', async () => {
      const host = fleet.host(`two-${release}`);
      const updates = [plain('new-half', '2.0', { obsoletes: ['old-half'] }), plain('tool', '1.1')];
      await fleet.whilePublished(release, updates, async () => {
        const { plan, run } = await prepared(host);
        expect(changes(plan)).toEqual(['upgrade tool 1.0-1 1.1-1']);
        expect(run.summary.warnings[0]).toMatchObject({
          code: 'kept-back',
          detail: expect.stringContaining('new-half'),
        });
      });
      await fleet.whilePublished(release, [plain('rival', '2.0', { conflicts: ['clash'] })], async () => {
        const allowed = await prepared(host, { parameters: { Removals: 'allow' } });
        expect(changes(allowed.plan)).toEqual(['remove clash 1.0-1 -', 'upgrade rival 1.0-1 2.0-1']);
      });
    });

    it('when the disk or /boot has no room for it, or somebody works on packages', async () => {
      const host = fleet.host(`two-${release}`);
      const vast = plain('tool', '1.1', {
        files: { '/usr/share/tool/vast': { content: randomBytes(40 << 20) } },
      });
      await shell(
        host,
        'mkdir -p /var/lib/quarterdeck; mount -t tmpfs -o size=58m tmpfs /var/lib/quarterdeck',
      );
      await fleet.whilePublished(release, [vast], async () =>
        expect((await prepared(host)).told).toEqual([105, 'blocked', 'disk-full']),
      );
      await shell(host, 'umount /var/lib/quarterdeck');
      await shell(
        host,
        'mount -t tmpfs -o size=30m tmpfs /boot; head -c 12m /dev/zero >/boot/initramfs-1.img',
      );
      await fleet.whilePublished(release, [kernel('2')], async () =>
        expect((await prepared(host)).told).toEqual([105, 'blocked', 'boot-full']),
      );
      await shell(host, 'umount /boot');
      const holder = host.run({
        argv: [
          'python3',
          '-c',
          'import fcntl,time; f=open("/var/lib/rpm/.rpm.lock","w"); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(60)',
        ],
      });
      await shell(host, 'while ! grep -q "POSIX.*WRITE" /proc/locks; do sleep 0.05; done');
      const { told, run } = await prepared(host, { parameters: { TimeBudget: '8' } });
      expect(told).toEqual([102, 'blocked', 'lock-held']);
      expect(run.summary.reasons[0]?.detail).toMatch(/python3 \(\d+\)/);
      holder.kill();
      await holder.done;
      expect((await shell(host, 'ls /var/lib/rpm/.rpm.lock')).code).toBe(0);
    });
  },
);

describe('dnf 5 that waits for a person, and would have others wait without end,', () => {
  it('is named by prepare, and is not waited for by a transaction', async () => {
    const host = fleet.host('two-fedora-44');
    await fleet.whilePublished('fedora-44', [plain('tool', '1.1')], async () => {
      const asked = host.run({
        argv: ['sh', '-c', 'mkfifo /run/answer; exec dnf5 --refresh upgrade <>/run/answer'],
      });
      await shell(host, 'while ! grep -q "POSIX.*WRITE" /proc/locks; do sleep 0.05; done');
      const { told, run } = await prepared(host, { parameters: { TimeBudget: '8' } });
      expect(told).toEqual([102, 'blocked', 'lock-held']);
      expect(run.summary.reasons[0]?.detail).toMatch(/dnf5 \(\d+\)/);
      await host.writeFile(
        '/root/transaction.sh',
        await readFile('ssm-documents/dnf/transaction.sh', 'utf8'),
        0o644,
      );
      const waited = await shell(
        host,
        `exec bash -c 'VARIANT=dnf5; . /root/transaction.sh; LOCK_SECONDS=2; eval "$(print_command dnf5 -y upgrade tool)"; echo "ended with $code"'`,
      );
      expect(waited, waited.stderr).toMatchObject({ stdout: 'ended with 1\n' });
      expect(waited.stderr).toContain('Waiting for a lock');
      asked.kill();
      await asked.done;
      expect(await versions(host, 'tool')).toEqual({ tool: '1.0-1' });
    });
  });
});

describe('prepare on dnf 4', () => {
  it('says when the vendor has ended its support: what there is gets installed, and is not compliant', async () => {
    const host = fleet.host('ended');
    await fleet.whilePublished('centos-7', [plain('tool', '1.0')], async () => {
      const { run } = await prepared(host);
      expect(run.summary).toMatchObject({
        code: 2,
        warnings: [{ code: 'release-end-of-life' }],
        facts: { compliant: false },
      });
    });
  });
});

describe.each(dnfs)('a sealed plan on $manager is refused', ({ release }) => {
  it('when files conflict, or are not the sealed ones any more; nothing is touched', async () => {
    const host = fleet.host(`one-${release}`);
    const clashing = plain('fails', '1.1', { files: { '/usr/share/clash/version': { content: 'mine' } } });
    await fleet.whilePublished(release, [clashing], async () => {
      const { plan, campaign } = await prepared(host);
      const { summary } = await fleet.run(host, 'patch', { plan, campaign });
      expect(summary).toMatchObject({ code: 104, result: 'drifted', reasons: [{ code: 'not-resolvable' }] });
      expect(summary.reasons[0]?.detail).toContain('conflicts with file from package clash');
    });
    await fleet.whilePublished(release, [plain('tool', '1.1')], async () => {
      const { plan, campaign } = await prepared(host);
      await shell(host, `printf x >>/var/lib/quarterdeck/${campaign}/dnf/files/tool-1.1-1.noarch.rpm`);
      const { summary } = await fleet.run(host, 'patch', { plan, campaign });
      expect(summary).toMatchObject({ code: 106, result: 'drifted', reasons: [{ code: 'file-altered' }] });
    });
    expect(await versions(host)).toMatchObject({ tool: '1.0-1', fails: '1.0-1' });
  });

  it('when its order has names that no package has: no shell and no package manager gets to see them', async () => {
    const host = fleet.host(`one-${release}`);
    await fleet.whilePublished(release, [plain('tool', '1.1')], async () => {
      const { plan, campaign } = await prepared(host);
      const parameters = await fleet.order(host, 'patch', { plan, campaign });
      const order = Buffer.from((await fleet.objects.get(parameters.OrderKey ?? '')) ?? []).toString();
      for (const name of ['--setopt=x', '$(touch /root/owned)', 'a;touch /root/owned', 'a b']) {
        const hostile = order.replaceAll('\ttool\t', `\t${name}\t`);
        const hash = sha256Of(hostile);
        await fleet.objects.put(`orders/${hash}.txt`, hostile);
        const { summary } = await runDocument(host, documentOf('patch', 'rhel'), {
          ...parameters,
          OrderKey: `orders/${hash}.txt`,
          OrderSha256: hash,
          CampaignId: campaign,
        });
        expect(summary).toMatchObject({ code: 1, result: 'failed', reasons: [{ code: 'order-malformed' }] });
        await shell(host, `rm -rf /var/lib/quarterdeck/${campaign}/state/patch*`);
      }
    });
    expect(await host.readFile('/root/owned')).toBeUndefined();
    expect(await versions(host)).toMatchObject({ tool: '1.0-1' });
  });
});

describe.each(dnfs)('a transaction on $manager has failed', ({ release }) => {
  it('when a script did, although dnf ends with 0 or does the rest', async () => {
    const host = fleet.host(`two-${release}`);
    const failing = (script: 'afterInstall' | 'beforeInstall') => [
      plain('fails', '1.1', { scripts: { [script]: 'echo no luck; exit 3' } }),
      plain('tool', '1.1'),
    ];
    for (const script of ['beforeInstall', 'afterInstall'] as const) {
      await fleet.whilePublished(release, failing(script), async () => {
        const { plan, campaign } = await prepared(host);
        const { summary, sections, exit } = await fleet.run(host, 'patch', {
          plan,
          campaign,
          parameters: { Reboot: 'always' },
        });
        expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { rebooted: false } });
        expect(exit).toBe(1);
        const problem = summary.reasons.find(({ code }) => code === 'package-manager')?.detail;
        expect(problem).toContain('fails');
        expect(sections.get('log')).toContain('no luck');
      });
    }
    expect(await versions(host)).toMatchObject({ fails: '1.1-1' });
  });
});
