import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changes, createDnfFleet, kernel, versions } from './dnf-fleet.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

const installed = [plain('tool', '1.0'), plain('bystander', '1.0'), kernel('1', 'kernel6.12')];
const named = '2023.9.20261117';

let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({
    hosts: { pinned: 'amazon-2023', older: 'amazon-2' },
    installed,
    family: 'amazon',
  });
});
afterAll(() => fleet?.close());

describe('Amazon Linux 2023', () => {
  it('resolves against the release that the campaign names, and never against what the server calls latest', async () => {
    const host = fleet.host('pinned');
    const repository = fleet.fleet.repository('amazon-2023');
    await repository.publish('main', [plain('tool', '1.0')]);
    const before = await repository.stale();
    const asked = new Set<string>();
    const byRelease: RequestListener = (request, response) => {
      const [, release = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
      asked.add(release);
      request.url = path;
      (release === named ? repository.listener : before)(request, response);
    };
    fleet.fleet.serveRepository(host.id, byRelease);
    await shell(
      host,
      'sed -i -E "s#(baseurl=http://[^/]*)#\\1/\\$releasever#" /etc/yum.repos.d/fleet.repo; echo latest >/etc/dnf/vars/releasever',
    );
    await fleet.whilePublished('amazon-2023', [plain('tool', '1.1'), kernel('2', 'kernel6.12')], async () => {
      const without = await fleet.prepare(host, { campaign: '2027-q1-without' });
      expect(without.run.summary).toMatchObject({
        code: 2,
        result: 'nothing-to-do',
        facts: { compliant: false },
        warnings: [{ code: 'release-pinned' }],
      });
      expect([...asked]).toEqual(['2023']);

      const terms = {
        selection: { names: [], repositories: { enable: [], disable: [] }, release: named },
        never: [],
      };
      const { run, plan } = await fleet.prepare(host, { terms });
      expect(run.summary).toMatchObject({ code: 0, warnings: [] });
      expect(changes(plan)).toEqual(['install kernel6.12 - 5.14.0-2', 'upgrade tool 1.0-1 1.1-1']);
      const patch = await fleet.run(host, 'patch', { terms, plan, parameters: { Reboot: 'never' } });
      // needs-restarting knows no kernel of that name.
      expect((await shell(host, 'dnf -C needs-restarting -r')).stdout).toContain('should not be necessary');
      expect(patch.summary).toMatchObject({
        result: 'patched',
        warnings: [{ code: 'reboot-needed', detail: expect.stringContaining('kernel 5.14.0-2') }],
        facts: { installed: true, rebootPending: true, compliant: true },
      });
      expect([...asked]).toEqual(['2023', named]);
    });
  });
});

describe('Amazon Linux 2', () => {
  it('is patched by yum, and is not compliant after its last day', async () => {
    const host = fleet.host('older');
    await fleet.whilePublished('amazon-2', [plain('tool', '1.1')], async () => {
      const { run, plan } = await fleet.prepare(host);
      expect(run.summary).toMatchObject({ code: 0, warnings: [{ code: 'release-end-of-life' }] });
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary).toMatchObject({
        result: 'patched',
        facts: { installed: true, compliant: false },
      });
      expect(await versions(host)).toMatchObject({ tool: '1.1-1', bystander: '1.0-1' });
      const terms = {
        selection: { names: [], repositories: { enable: [], disable: [] }, release: named },
        never: [],
      };
      const asked = await fleet.prepare(host, { campaign: '2027-q1-release', terms });
      expect(asked.run.summary).toMatchObject({ code: 107, reasons: [{ code: 'mode-unsupported' }] });
    });
  });
});
