import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { orderText } from '../../core/order.ts';
import { sha256Of } from '../../core/plan.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument } from '../support/run-document.ts';
import { changedAnswers } from './changed-answers.ts';
import {
  changes,
  codes,
  createPacmanFleet,
  installedOn,
  type PacmanFleet,
  plain,
  shell,
  until,
  waiting,
} from './pacman-fleet.ts';

let fleet: PacmanFleet;
beforeAll(async () => {
  fleet = await createPacmanFleet(
    ['source', 'lock', 'files'],
    ['tool', 'bystander', 'slow', 'fleet-keyring'].map((name) =>
      plain(name, '1.0', {
        ...(name === 'fleet-keyring' && {
          files: { '/usr/share/pacman/keyrings/more.gpg': { content: 'none yet\n' } },
        }),
      }),
    ),
    'endeavouros',
  );
});
afterAll(() => fleet?.close());

const newTool = plain('tool', '1.1');
let campaigns = 0;
const blocked = async (host: Host, parameters: Record<string, string> = {}) => {
  const campaign = `2027-q1-blocked-${++campaigns}`;
  const { summary, exit } = await fleet.run(host, 'prepare', { campaign, parameters });
  expect(exit).toBe(1);
  return { code: summary.code, result: summary.result, reason: summary.reasons[0]?.code };
};
const withSettings = async <T>(host: Host, script: string, work: () => Promise<T>): Promise<T> => {
  await shell(host, `cp -p /etc/pacman.conf /root/pacman.conf; ${script}`);
  try {
    return await work();
  } finally {
    await shell(host, 'cp -p /root/pacman.conf /etc/pacman.conf');
  }
};

describe('databases that can not be had or trusted block, and are never "nothing to do":', () => {
  const served = (change: (path: string, content: Buffer) => Buffer | undefined): RequestListener =>
    // The fleet is there only when a host asks.
    changedAnswers((request, response) => fleet.repository.listener(request, response), change);
  const from = async <T>(host: Host, listener: RequestListener, work: () => Promise<T>): Promise<T> => {
    fleet.families.fleet.serveRepository(host.id, listener);
    try {
      return await work();
    } finally {
      fleet.families.fleet.serveRepository(host.id, fleet.repository.listener);
    }
  };
  const altered = (content: Buffer) => Buffer.concat([content, Buffer.from('\n')]);

  it.each<[string, string, RequestListener]>([
    ['a mirror that does not answer', 'repository-unreachable', (request) => void request.socket.destroy()],
    [
      'one repository of two that is gone',
      'repository-unreachable',
      served((path, content) => (path.includes('/extra/') ? undefined : content)),
    ],
    [
      'a database that was altered',
      'key-untrusted',
      served((path, content) => (path.endsWith('core.db') ? altered(content) : content)),
    ],
    [
      'a database that is none',
      'metadata-altered',
      served((path) => (path.endsWith('.db') ? Buffer.from('<html>gone</html>') : undefined)),
    ],
    [
      'a package file that was altered on its way',
      'download-failed',
      served((path, content) => (path.endsWith('.gz') ? altered(content) : content)),
    ],
  ])('%s', async (_, reason, listener) => {
    const host = fleet.host('source');
    await fleet.whilePublished([newTool], async () => {
      expect(await from(host, listener, () => blocked(host))).toEqual({
        code: 103,
        result: 'blocked',
        reason,
      });
    });
  });

  it('packages without a signature or with that of another, whatever pacman.conf allows', async () => {
    const host = fleet.host('source');
    const foreign = createSigningKey('Someone else', new Date());
    await withSettings(
      host,
      'sed -i "s/^SigLevel.*/SigLevel = Never/; s/^.core.$/&\\nSigLevel = Optional TrustAll/" /etc/pacman.conf',
      async () => {
        for (const packageKey of [null, foreign])
          await fleet.whilePublished(
            [newTool],
            async () =>
              expect(await blocked(host)).toEqual({
                code: 103,
                result: 'blocked',
                reason: 'download-failed',
              }),
            { packageKey },
          );
      },
    );
    await fleet.whilePublished(
      [newTool],
      async () => expect((await blocked(host)).reason).toBe('key-untrusted'),
      { indexKey: foreign },
    );
  });

  it('no repository, only empty ones, and a mirror that has stopped', async () => {
    const host = fleet.host('source');
    await withSettings(host, 'sed -i "/^.core/,$ d" /etc/pacman.conf', async () =>
      expect((await blocked(host)).reason).toBe('no-repositories'),
    );
    await withSettings(host, 'sed -i "/^.core/,/^$/ d" /etc/pacman.conf', async () =>
      expect((await blocked(host)).reason).toBe('repository-empty'),
    );
    const old = 'Wed, 01 Oct 2025 00:00:00 GMT';
    const stopped: RequestListener = (request, response) => {
      const writeHead = response.writeHead.bind(response);
      Object.assign(response, {
        writeHead: (status: number, headers: object) =>
          writeHead(status, { ...headers, 'last-modified': old }),
      });
      fleet.repository.listener(request, response);
    };
    await from(host, stopped, async () => expect((await blocked(host)).reason).toBe('metadata-stale'));
  });

  it('a mirror that no longer answers keeps no sealed plan from being installed', async () => {
    const host = fleet.host('files');
    await fleet.whilePublished([newTool], async () => {
      const { plan } = await fleet.prepare(host, { campaign: '2027-q1-silent' });
      await from(
        host,
        (request) => void request.socket.destroy(),
        async () => {
          const patch = await fleet.run(host, 'patch', { plan, campaign: '2027-q1-silent' });
          expect(patch.summary).toMatchObject({
            result: 'patched',
            facts: { installed: true, compliant: true },
            warnings: [{ code: 'newer-unknown' }],
          });
          const verify = await fleet.run(host, 'verify', { plan, campaign: '2027-q1-silent' });
          expect(codes(verify.summary.warnings)).toEqual(['repository-unreachable']);
        },
      );
    });
  });
});

describe('repositories of the order', () => {
  const terms = (enable: string[], disable: string[]) =>
    ({ never: [], selection: { names: [], repositories: { enable, disable } } }) as never;

  it('are left out, and taken back in; what is not configured can not be enabled', async () => {
    const host = fleet.host('source');
    await fleet.whilePublished([newTool], () =>
      fleet.whilePublished(
        [plain('bystander', '1.1')],
        async () => {
          const campaign = '2027-q1-repositories';
          const without = await fleet.prepare(host, { campaign, terms: terms([], ['ext*']) });
          expect(changes(without.plan)).toEqual(['upgrade tool 1.0-1 1.1-1']);
          const only = await fleet.prepare(host, { campaign: `${campaign}-2`, terms: terms(['extra'], []) });
          expect(only.plan).toHaveLength(2);
          const unknown = await fleet.run(host, 'prepare', {
            campaign: `${campaign}-3`,
            terms: terms(['testing'], []),
          });
          expect(unknown.summary).toMatchObject({
            code: 107,
            reasons: [{ code: 'mode-unsupported', detail: expect.stringContaining('testing') }],
          });
        },
        { channel: 'extra' },
      ),
    );
  });
});

describe('keys', () => {
  it('come before everything else, so that what they sign is taken', async () => {
    const host = fleet.host('source');
    const keyring = plain('fleet-keyring', '1.1', {
      files: { '/usr/share/pacman/keyrings/more.gpg': { content: 'more\n' } },
    });
    await fleet.whilePublished([plain('bystander', '1.1'), keyring], async () => {
      const { plan } = await fleet.prepare(host, { campaign: '2027-q1-keyring' });
      await fleet.run(host, 'patch', { plan, campaign: '2027-q1-keyring' });
      const order = await shell(host, "sed -n 's/.*upgraded \\([a-z-]*\\).*/\\1/p' /var/log/pacman.log");
      expect(order.stdout).toBe('fleet-keyring\nbystander\n');
    });
  });

  it('that only the plan brings are learnt beside the system’s own, if those vouch for them', async () => {
    const host = fleet.host('source');
    const packager = createSigningKey('New packager', new Date());
    const stranger = createSigningKey('Stranger', new Date());
    const certified = await shell(
      host,
      `cd /root && mkdir -m 700 m && g() { gpg --homedir /root/m --batch --quiet --no-tty --passphrase '' "$@"; } &&
      g --quick-gen-key master ed25519 cert 0 && echo ${packager.keyring.toString('base64')} | base64 -d | g --import && g --quick-sign-key ${packager.fingerprint} &&
      g --export master | gpg --homedir /etc/pacman.d/gnupg --batch --import &&
      g --with-colons --list-keys master | awk -F: '$1 == "fpr" { print $10 ":6:"; exit }' |
        gpg --homedir /etc/pacman.d/gnupg --batch --import-ownertrust && echo && g --export ${packager.fingerprint} | base64 -w 0; gpgconf --homedir /root/m --kill all`,
    );
    const vouched = Buffer.from(certified.stdout.split('\n').at(-1) ?? '', 'base64');
    expect(vouched.length, certified.stderr).toBeGreaterThan(300);
    const importing =
      'gpg --homedir /etc/pacman.d/gnupg --batch --import /usr/share/pacman/keyrings/more.gpg';
    const keyring = (version: string, keys: Buffer) =>
      plain('fleet-keyring', version, {
        files: { '/usr/share/pacman/keyrings/more.gpg': { content: keys } },
        scripts: { afterInstall: importing },
      });
    const later = plain('bystander', '1.2');
    const foreign = keyring('1.2', Buffer.from(stranger.keyring));
    await fleet.whilePublished([foreign], () =>
      fleet.whilePublished(
        [later],
        async () => expect((await blocked(host)).reason).toBe('download-failed'),
        {
          packageKey: stranger,
        },
      ),
    );
    const campaign = '2027-q1-learnt';
    await fleet.whilePublished([keyring('1.3', vouched)], () =>
      fleet.whilePublished(
        [later],
        async () => {
          const { run, plan } = await fleet.prepare(host, { campaign });
          expect(run.summary, run.sections.get('log')).toMatchObject({
            result: 'planned',
            reasons: [],
          });
          expect(
            (await shell(host, 'pacman -Q bystander; gpg --homedir /etc/pacman.d/gnupg -k')).stdout,
          ).not.toContain('New packager');
          const patch = await fleet.run(host, 'patch', { plan, campaign });
          expect(patch.summary, patch.log).toMatchObject({ result: 'patched', facts: { installed: true } });
          expect(await installedOn(host)).toMatchObject({ bystander: '1.2-1' });
        },
        { packageKey: packager },
      ),
    );
  });
});

describe('a locked database', () => {
  it('is waited for, then blocks with the holder’s name; a lock of nobody is named, and never removed', async () => {
    const host = fleet.host('lock');
    await fleet.whilePublished([newTool, waiting('1.1', 'afterInstall')], async () => {
      const { plan } = await fleet.prepare(host, { exclusions: ['slow'] });
      const other = shell(host, 'pacman -Sy --noconfirm slow');
      await until(host, '/run/reached');
      const trial = { campaign: '2027-q1-locked', parameters: { TimeBudget: '4' } };
      const held = await fleet.run(host, 'prepare', trial);
      expect(held.summary).toMatchObject({
        code: 102,
        result: 'blocked',
        reasons: [{ code: 'lock-held', detail: expect.stringMatching(/pacman \(\d+\)/) }],
      });
      const refused = await fleet.run(host, 'patch', {
        ...trial,
        plan,
        parameters: { TimeBudget: '8' },
      });
      expect(refused.summary).toMatchObject({
        code: 102,
        result: 'refused',
        reasons: [{ code: 'lock-held' }],
      });
      await host.writeFile('/run/go', '', 0o644);
      expect(await other).toMatchObject({ code: 0 });
      await shell(host, ': >/var/lib/pacman/db.lck');
      const stale = await fleet.run(host, 'prepare', { ...trial, campaign: '2027-q1-stale' });
      expect(stale.summary).toMatchObject({
        code: 102,
        reasons: [{ code: 'lock-held', detail: expect.stringContaining('nobody who still runs') }],
      });
      expect((await shell(host, 'rm /var/lib/pacman/db.lck')).code).toBe(0);
      const patched = await fleet.run(host, 'patch', { plan, exclusions: ['slow'] });
      expect(patched.summary).toMatchObject({ result: 'patched' });
    });
  });
});

describe('a server is refused or blocked, and not touched,', () => {
  it('when a file is not the one that was sealed', async () => {
    const host = fleet.host('files');
    const campaign = '2027-q1-altered';
    await fleet.whilePublished([plain('tool', '1.2')], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      await shell(host, 'for file in /var/lib/quarterdeck/*/pacman/files/*.gz; do printf x >>$file; done');
      const { summary } = await fleet.run(host, 'patch', { plan, campaign });
      expect(summary).toMatchObject({
        code: 106,
        result: 'drifted',
        reasons: [{ code: 'file-altered', detail: expect.stringContaining('tool-1.2-1-any.pkg.tar.gz') }],
      });
      expect(await installedOn(host)).toMatchObject({ tool: '1.1-1' });
    });
  });

  it('when the plan does not fit on its disk, or the disk fills meanwhile', async () => {
    const host = fleet.host('files');
    await fleet.whilePublished([plain('tool', '1.3', { installedSize: 9e11 })], async () =>
      expect(await blocked(host)).toEqual({ code: 105, result: 'blocked', reason: 'disk-full' }),
    );
    const campaign = '2027-q1-full';
    const large = plain('bystander', '1.1', {
      files: { '/opt/large': { content: Buffer.alloc(4_000_000, 1) } },
    });
    await fleet.whilePublished([large], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      await shell(host, 'mkdir -p /opt && mount -t tmpfs -o size=1m tmpfs /opt');
      const { summary } = await fleet.run(host, 'patch', { plan, campaign });
      await shell(host, 'umount /opt');
      expect(summary).toMatchObject({ code: 100, result: 'failed', facts: { installed: false } });
      expect(summary.reasons.at(-1)?.detail).toContain('not enough free disk space');
      expect(await installedOn(host)).toMatchObject({ bystander: '1.0-1' });
    });
  });

  it('when its database is not whole', async () => {
    const host = fleet.host('files');
    await shell(host, 'mkdir /var/lib/pacman/local/wreck-1.0-1');
    const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-wreck' });
    expect(summary).toMatchObject({
      code: 101,
      result: 'blocked',
      reasons: [{ code: 'packages-broken', detail: expect.stringContaining('wreck') }],
    });
    await shell(host, 'rmdir /var/lib/pacman/local/wreck-1.0-1');
  });

  it('when its plan has names that are none', async () => {
    const host = fleet.host('files');
    const campaign = '2027-q1-hostile';
    const good = 'upgrade\ttool\tany\t1.1-1\t1.2-1\tcore\tno\t700\tHASH\tnone\t0\t-'.replace(
      'HASH',
      'ab'.repeat(32),
    );
    for (const [honest, hostile] of [
      ['\ttool\t', '\t$(touch$IFS/root/pwned)\t'],
      ['\ttool\t', '\t--root=/\t'],
      ['\t1.2-1\t', '\t1.2-1;reboot\t'],
    ] as const) {
      const line = good.replace(honest, hostile);
      const plan = sha256Of(`quarterdeck-plan\t1\t${host.id}\n${line}\n`);
      const section = `plan\t${plan}\nentry\t${line}\n`;
      const order =
        orderText(campaign, 'patch', [{ serverId: host.id, exclusions: [], plan: null }]) + section;
      const hash = sha256Of(order);
      await fleet.families.objects.put(`orders/${hash}.txt`, order);
      const parameters = await fleet.order(host, 'patch', {
        campaign: `${campaign}-${hash.slice(0, 6)}`,
      });
      const { summary } = await runDocument(host, documentOf('patch', 'arch'), {
        ...parameters,
        CampaignId: campaign,
        OrderKey: `orders/${hash}.txt`,
        OrderSha256: hash,
      });
      expect(codes(summary.reasons)).toEqual(['order-malformed']);
      await shell(host, `rm -rf /var/lib/quarterdeck/${campaign}`);
    }
    expect((await shell(host, 'ls /root/pwned')).code).not.toBe(0);
  });

  it('when it is no distribution of this family', async () => {
    const host = fleet.host('files');
    await shell(host, 'cp /etc/os-release /root/os-release; sed -i s/endeavouros/steamos/ /etc/os-release');
    const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-steamos' });
    await shell(host, 'cp /root/os-release /etc/os-release');
    expect(summary).toMatchObject({
      code: 107,
      result: 'unsupported',
      reasons: [{ code: 'variant-unknown' }],
    });
  });
});
