import { afterAll, beforeAll, expect, it } from 'vitest';
import { changes, createDnfFleet, versions } from './dnf-fleet.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

/*
 * yum 3 is not to be had for these hosts, since it needs Python 2. A stand-in takes its words, refuses those that it has
 * not, and has dnf 4 do the work: what is held here is which words are used, and test/ssm-documents/dnf-output.test.ts
 * what its own output looks like.
 */
const YUM3 = `#!/bin/bash
[[ $1 != --version ]] || { echo 3.4.3; exit; }
words=()
for word; do
  case $word in
  repoquery | --refresh | --allowerasing | download | upgrade | upgrade-minimal) echo "No such command: $word" >&2; exit 1 ;;
  --setopt=destdir=*) ;;
  update) words+=(upgrade) ;;
  update-minimal) words+=(upgrade-minimal) ;;
  *) words+=("$word") ;;
  esac
done
exec /usr/bin/dnf-real --disableplugin=generate_completion_cache "\${words[@]}"
`;
const YUMDOWNLOADER = `#!/bin/bash
exec /usr/bin/dnf-real --setopt=cachedir=/var/tmp/downloader download "$@"
`;

const advisory = {
  id: 'RLSA-2026:1',
  type: 'security',
  cves: ['CVE-2026-0001'],
  packages: ['tool'],
} as const;
const before = ['tool', 'libtool'].map((name) => plain(name, '1.0'));
const updates = [plain('tool', '1.1', { requires: ['part'] }), plain('libtool', '1.1'), plain('part', '1.0')];

const release = 'centos-7';
let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({ hosts: { three: release }, installed: before });
  const host = fleet.host('three');
  await shell(host, 'mv /usr/bin/yum /usr/bin/dnf-real');
  await host.writeFile('/usr/bin/yum', YUM3, 0o755);
  await host.writeFile('/usr/bin/yumdownloader', YUMDOWNLOADER, 0o755);
});
afterAll(() => fleet?.close());

it('yum 3 is asked in its own words: plan, patch, verify, and back', async () => {
  const host = fleet.host('three');
  await fleet.fleet.repository(release).publish('main', before);
  await fleet.whilePublished(
    release,
    updates,
    async () => {
      const security = await fleet.prepare(host, {
        campaign: '2027-q1-security',
        parameters: { Mode: 'security', KeepPackages: 'none' },
      });
      expect(security.run.summary, security.run.log).toMatchObject({ code: 0 });
      expect(changes(security.plan)).toEqual(['install part - 1.0-1', 'upgrade tool 1.0-1 1.1-1']);
      const selection = {
        names: ['CVE-2026-0001'],
        repositories: { enable: [], disable: [] },
      };
      const named = await fleet.prepare(host, {
        campaign: '2027-q1-named',
        terms: { selection, never: [] },
        parameters: { Mode: 'advisories', KeepPackages: 'none' },
      });
      expect(changes(named.plan), named.run.log).toEqual(changes(security.plan));

      const { run, plan } = await fleet.prepare(host);
      expect(run.summary, run.log).toMatchObject({ code: 0, found: { rollbackKept: 2 } });
      expect(changes(plan)).toEqual([
        'install part - 1.0-1',
        'upgrade libtool 1.0-1 1.1-1',
        'upgrade tool 1.0-1 1.1-1',
      ]);
      expect(run.sections.get('advisories')).toContain('CVE-2026-0001');
      const patch = await fleet.run(host, 'patch', { plan });
      expect(patch.summary, patch.log).toMatchObject({
        result: 'patched',
        newer: 0,
        facts: { installed: true },
      });
      expect((await fleet.run(host, 'verify', { plan })).summary.result).toBe('verified');
      const back = await fleet.run(host, 'rollback', { plan });
      expect(back.summary, back.log).toMatchObject({ code: 0, result: 'rolled-back' });
      expect(await versions(host)).toMatchObject({ tool: '1.0-1', libtool: '1.0-1' });
      expect(await versions(host)).not.toHaveProperty('part');
    },
    { advisories: [advisory] },
  );
});
