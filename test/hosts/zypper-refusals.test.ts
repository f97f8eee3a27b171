import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FamilyRepository } from '../../apps/local/hosts/families/family-repository.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createSigningKey } from '../../apps/local/hosts/openpgp.ts';
import { sha256Of } from '../../core/plan.ts';
import { documentOf } from '../support/document-trials.ts';
import { runDocument, startStep } from '../support/run-document.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';
import { changes, createZypperFleet, until, versions, waitingScript } from './zypper-fleet.ts';

const hosts = { metadata: 'leap-15', drifting: 'leap-15', busy: 'leap-15' } as const;
const installed = [
  plain('ballast', '1.0'),
  plain('tool', '1.0'),
  plain('other', '1.0'),
  plain('clash', '1.0'),
  plain('slow', '1.0'),
];
const ballast = plain('ballast', '1.0');

let families: TrialFamilies;
let repository: FamilyRepository;

beforeAll(async () => {
  families = await createZypperFleet({ hosts, installed });
  repository = families.fleet.repository('leap-15');
  await repository.publish('main', [ballast]);
});
afterAll(() => families?.close());

let campaigns = 0;
/** Each of its own campaign, so that none finds the result of another. */
const prepared = async (host: Host, parameters: Readonly<Record<string, string>> = {}) => {
  campaigns += 1;
  const campaign = `2027-q1-refusal-${campaigns}`;
  return { campaign, ...(await families.prepare(host, { campaign, parameters })) };
};
const refused = async (host: Host, parameters: Readonly<Record<string, string>> = {}) => {
  const { summary } = (await prepared(host, parameters)).run;
  return [summary.code, summary.result, summary.reasons[0]?.code, summary.reasons[0]?.detail ?? ''] as const;
};

describe('prepare on zypper is blocked', () => {
  it('by repositories that are none, away, empty or in part away, and says nothing of "nothing to do"', async () => {
    const host = families.host('metadata');
    await shell(
      host,
      'mkdir /etc/zypp/none; mv /etc/zypp/repos.d /etc/zypp/away; mv /etc/zypp/none /etc/zypp/repos.d',
    );
    expect((await refused(host)).slice(0, 3)).toEqual([103, 'blocked', 'no-repositories']);
    await shell(host, 'rm -r /etc/zypp/repos.d; mv /etc/zypp/away /etc/zypp/repos.d');
    families.fleet.serveRepository(host.id, (_request, response) => void response.writeHead(404).end());
    expect((await refused(host)).slice(0, 3)).toEqual([103, 'blocked', 'repository-unreachable']);
    families.fleet.serveRepository(host.id, (request, response) => {
      if (request.url?.startsWith('/extra/')) response.writeHead(404).end();
      else repository.listener(request, response);
    });
    expect(await refused(host)).toEqual([
      103,
      'blocked',
      'repository-unreachable',
      expect.stringContaining('zypper ended with'),
    ]);
    families.fleet.serveRepository(host.id, repository.listener);
    await repository.withdraw('main', 'ballast', '1.0-1');
    expect((await refused(host)).slice(0, 3)).toEqual([103, 'blocked', 'repository-empty']);
    await repository.publish('main', [ballast]);
  });

  it('by an index that is unsigned, of another key, or does not fit what it names, also where the operator looks away', async () => {
    const host = families.host('metadata');
    const foreign = createSigningKey('Someone else', new Date());
    await shell(host, "sed -i 's/^gpgcheck=1/gpgcheck=0/' /etc/zypp/repos.d/*.repo");
    for (const indexKey of [null, foreign])
      await families.whilePublished(
        'leap-15',
        [plain('tool', '1.1')],
        async () => expect((await refused(host)).slice(0, 3)).toEqual([103, 'blocked', 'key-untrusted']),
        { packageKey: null, indexKey },
      );
    await families.whilePublished('leap-15', [plain('tool', '1.1')], async () => {
      families.fleet.serveRepository(host.id, (request, response) => {
        if (request.url?.endsWith('primary.xml.gz')) response.end('something else');
        else repository.listener(request, response);
      });
      const [code, result, reason] = await refused(host);
      expect([code, result]).toEqual([103, 'blocked']);
      expect(['metadata-altered', 'repository-unreachable']).toContain(reason);
      families.fleet.serveRepository(host.id, (request, response) => {
        if (request.url?.endsWith('tool-1.1-1.noarch.rpm')) response.end('something else');
        else repository.listener(request, response);
      });
      expect((await refused(host)).slice(0, 3)).toEqual([103, 'blocked', 'download-failed']);
      families.fleet.serveRepository(host.id, repository.listener);
    });
  });

  it('by files that another package has, and by room that is not there', async () => {
    const host = families.host('metadata');
    const clashing = plain('tool', '1.1', { files: { '/usr/share/clash/version': { content: 'mine\n' } } });
    await families.whilePublished('leap-15', [clashing], async () =>
      expect(await refused(host)).toEqual([
        100,
        'blocked',
        'resolver-failed',
        'files that another package has already: tool:/usr/share/clash/version',
      ]),
    );
    await families.whilePublished('leap-15', [plain('tool', '1.1', { installedSize: 2 ** 40 })], async () =>
      expect((await refused(host)).slice(0, 3)).toEqual([105, 'blocked', 'disk-full']),
    );
    expect(await versions(host, 'tool')).toEqual({ tool: '1.0-1' });
  });
});

describe('patch on zypper touches nothing', () => {
  it('when what would happen is not the plan any more', async () => {
    const host = families.host('drifting');
    await families.whilePublished('leap-15', [plain('tool', '1.1'), plain('other', '1.1')], async () => {
      const { plan, campaign } = await prepared(host);
      expect(changes(plan)).toEqual(['upgrade other 1.0-1 1.1-1', 'upgrade tool 1.0-1 1.1-1']);
      const patch = async (id: string, exclusions: readonly string[] = []) => {
        const { summary } = await families.run(host, 'patch', { plan, campaign, exclusions });
        // A patch runs once: what it left is put away, so that it may be tried anew.
        await shell(host, `rm -f /var/lib/quarterdeck/${campaign}/state/patch*`);
        return [id, summary.code, summary.result, summary.reasons[0]?.code];
      };
      await shell(host, 'zypper -n al tool');
      expect(await patch('locked')).toEqual(['locked', 104, 'drifted', 'not-resolvable']);
      await shell(host, 'zypper -n rl tool');
      expect(await patch('excluded', ['tool'])).toEqual(['excluded', 104, 'drifted', 'not-resolvable']);
      await shell(
        host,
        `cd /var/lib/quarterdeck/${campaign}/zypp/files; cp tool* /root; printf x >>tool-1.1-1.noarch.rpm`,
      );
      expect(await patch('altered')).toEqual(['altered', 106, 'drifted', 'file-altered']);
      await shell(host, `cp /root/tool*.rpm /var/lib/quarterdeck/${campaign}/zypp/files`);
      await shell(host, 'rpm -e other');
      expect(await patch('removed')).toEqual(['removed', 104, 'drifted', 'removed-since']);
      await shell(host, 'rpm -i --nodeps /mnt/other* || zypper -n in --oldpackage other=1.0');
      expect(await versions(host, 'tool')).toEqual({ tool: '1.0-1' });
    });
  });

  it('when a plan holds what is no package', async () => {
    const host = families.host('drifting');
    await families.whilePublished('leap-15', [plain('tool', '1.1')], async () => {
      const { plan, campaign } = await prepared(host);
      const parameters = await families.order(host, 'patch', { plan, campaign });
      const order = Buffer.from((await families.objects.get(parameters.OrderKey ?? '')) ?? '').toString();
      for (const name of [
        '--root=/x',
        '!tool',
        'tool>=1',
        '`touch /root/hostile`',
        'tool;id',
        '/root/x.rpm',
      ]) {
        const hostile = order.replaceAll('\ttool\t', `\t${name}\t`);
        expect(hostile).not.toBe(order);
        const lines = hostile.split('\n').filter((line) => line.startsWith('entry\t'));
        const text = `quarterdeck-plan\t1\t${host.id}\n${lines.map((line) => `${line.slice(6)}\n`).join('')}`;
        const sealed = hostile.replace(/^plan\t.*$/m, `plan\t${sha256Of(text)}`);
        await families.objects.put(`orders/${sha256Of(sealed)}.txt`, sealed);
        const { summary } = await runDocument(host, documentOf('patch', 'suse'), {
          ...parameters,
          OrderKey: `orders/${sha256Of(sealed)}.txt`,
          OrderSha256: sha256Of(sealed),
        });
        expect([name, summary.code, summary.reasons[0]?.code]).toEqual([name, 1, 'order-malformed']);
        await shell(host, `rm -f /var/lib/quarterdeck/${campaign}/state/patch*`);
      }
      expect((await shell(host, 'ls /root/hostile')).code).not.toBe(0);
    });
  });

  it('while somebody else works on packages, who is named and whose lock stays', async () => {
    const host = families.host('busy');
    await families.whilePublished(
      'leap-15',
      [plain('tool', '1.1'), plain('slow', '1.1', { scripts: { afterInstall: waitingScript() } })],
      async () => {
        const { plan, campaign } = await prepared(host, { Mode: 'all' });
        const operator = shell(host, 'zypper -n in slow');
        await until(host, '/run/reached');
        const blocked = await refused(host, { TimeBudget: '8' });
        expect(blocked.slice(0, 3)).toEqual([102, 'blocked', 'lock-held']);
        expect(blocked[3]).toMatch(/locked by zypper \(\d+\)$/);
        const parameters = { ...(await families.order(host, 'patch', { plan, campaign })), TimeBudget: '9' };
        const { summary } = await runDocument(host, documentOf('patch', 'suse'), parameters);
        expect(summary).toMatchObject({ code: 102, result: 'refused', reasons: [{ code: 'lock-held' }] });
        await host.writeFile('/run/go', '', 0o644);
        expect(await operator).toMatchObject({ code: 0 });
        expect(await versions(host, 'tool', 'slow')).toEqual({ tool: '1.0-1', slow: '1.1-1' });
      },
    );
  });
});

const freshScript =
  'echo begun >>/var/tmp/fresh-runs; : >/run/fresh-reached; while [ ! -e /run/fresh-go ]; do sleep 0.05; done; echo done >>/var/tmp/fresh-runs';

describe('an interrupted transaction on zypper', () => {
  it('goes on when the agent killed the work step, and is finished after a power cut, old versions and all', async () => {
    const host = families.host('busy');
    await shell(host, 'rm -f /run/go /run/reached /var/tmp/slow-runs; zypper -n ref');
    const updates = [
      plain('other', '1.1'),
      plain('slow', '1.2', { scripts: { afterInstall: waitingScript() } }),
      plain('tool', '1.1', { requires: ['slow >= 1.2', 'fresh'] }),
      plain('fresh', '1.0', { requires: ['slow >= 1.2'], scripts: { afterInstall: freshScript } }),
    ];
    await families.whilePublished('leap-15', updates, async () => {
      const { plan, campaign } = await prepared(host);
      expect(plan).toHaveLength(4);
      const parameters = await families.order(host, 'patch', { plan, campaign });
      const work = startStep(host, documentOf('patch', 'suse'), 'work', parameters);
      await until(host, '/run/reached');
      work.kill();
      await work.exit;
      // Both versions are in the database while the script of the new one runs.
      expect((await versions(host, 'slow')).slow).toMatch(/^1\.[01]-1 1\.2-1$/);
      await host.powerCut();
      await host.reboot();
      expect((await versions(host, 'slow')).slow).toMatch(/^1\.[01]-1 1\.2-1$/);
      await host.writeFile('/run/go', '', 0o644);
      const repair = startStep(host, documentOf('patch', 'suse'), 'work', parameters);
      await until(host, '/run/fresh-reached');
      await host.powerCut();
      await repair.exit;
      await host.reboot();
      await shell(host, ': >/run/go; : >/run/fresh-go');
      const { summary } = await runDocument(host, documentOf('patch', 'suse'), parameters);
      expect(summary).toMatchObject({
        code: 0,
        result: 'patched',
        reasons: [],
        facts: { installed: true, rebooted: true },
      });
      // A package that was not there before shows no trace in the database of a script that was cut off.
      expect((await host.readFile('/var/tmp/fresh-runs'))?.trim().split('\n')).toEqual([
        'begun',
        'begun',
        'done',
      ]);
      expect(await versions(host, 'slow', 'tool', 'other')).toEqual({
        slow: '1.2-1',
        tool: '1.1-1',
        other: '1.1-1',
      });
      // The script ran once more, and to its end.
      expect((await host.readFile('/var/tmp/slow-runs'))?.trim().split('\n')).toHaveLength(2);
      expect((await shell(host, 'cat /usr/share/slow/version; rpm -V slow tool other')).stdout).toBe('1.2\n');
    });
  });
});
