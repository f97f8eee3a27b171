import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { changes, createDnfFleet, versions } from './dnf-fleet.ts';
import { plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

/*
 * dnf 5 and yum 3 are not to be had for these hosts. Stand-ins take their words, refuse those that they have not, and
 * have dnf 4 do the work: what is held here is which words are used, and test/ssm-documents/dnf-output.test.ts what
 * their own output looks like.
 */
const DNF5 = `#!/bin/bash
[[ $1 != --version ]] || { echo 'dnf5 version 5.2.17.0'; exit; }
words=() action='' undo=''
while (($# > 0)); do
  case $1 in
  --advisories=*) words+=("--advisory=\${1#*=}") ;;
  --cves=*) words+=("--cve=\${1#*=}") ;;
  --advisory=* | --cve=* | --disableexcludes=* | shell | updateinfo | repolist | upgrade-minimal)
    echo "Unknown argument \\"$1\\" for command \\"dnf5\\"" >&2; exit 2 ;;
  --setopt=system_cachedir=*) ;;
  '--setopt=disable_excludes=*') words+=(--disableexcludes=all) ;;
  repo) words+=(-v repolist); shift ;;
  advisory) words+=(updateinfo) ;;
  --updates) ;;
  do) undo=yes ;;
  --action=*) action=\${1#*=}; echo >>/run/undo; printf %s "$action" >>/run/undo ;;
  *) if [[ -n $action ]]; then printf ' %s' "$1" >>/run/undo; else words+=("$1"); fi ;;
  esac
  shift
done
if [[ -n $undo ]]; then
  echo >>/run/undo; echo run >>/run/undo
  /usr/bin/dnf "\${words[@]}" shell /run/undo; code=$?
  rm /run/undo; exit $code
fi
[[ " \${words[*]} " != *' --minimal '* ]] || { words=("\${words[@]/--minimal}"); words=("\${words[@]/#upgrade/upgrade-minimal}"); }
for i in "\${!words[@]}"; do [[ -n \${words[i]} ]] || unset "words[i]"; done
/usr/bin/dnf "\${words[@]}" | sed 's/^Repo-id  /Repo ID  /; s/^Repo-pkgs /Total packages/'
exit "\${PIPESTATUS[0]}"
`;
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

let fleet: TrialFamilies;
beforeAll(async () => {
  fleet = await createDnfFleet({ hosts: { five: 'rocky-9', three: 'centos-7' }, installed: before });
  await fleet.host('five').writeFile('/usr/bin/dnf5', DNF5, 0o755);
  await shell(fleet.host('three'), 'mv /usr/bin/yum /usr/bin/dnf-real');
  await fleet.host('three').writeFile('/usr/bin/yum', YUM3, 0o755);
  await fleet.host('three').writeFile('/usr/bin/yumdownloader', YUMDOWNLOADER, 0o755);
});
afterAll(() => fleet?.close());

describe.each([
  ['five', 'rocky-9', 'dnf5'],
  ['three', 'centos-7', 'yum'],
] as const)('host %s', (name, release, manager) => {
  const trials = async (work: (host: Host) => Promise<void>) => {
    await fleet.fleet.repository(release).publish('main', before);
    await fleet.whilePublished(release, updates, () => work(fleet.host(name)), { advisories: [advisory] });
  };

  it(`is asked in the words of ${manager}: plan, patch, verify, and back`, () =>
    trials(async (host) => {
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
    }));
});
