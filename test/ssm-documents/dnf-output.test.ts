import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const work = mkdtempSync(join(tmpdir(), 'dnf-output-'));
afterAll(() => rmSync(work, { recursive: true }));

/** Runs a function of the scripts on a text, with what is installed as `name architecture version` lines. */
function read(call: string, input: string, installed: readonly string[] = []) {
  const rows = installed.map((line) => `${line.replaceAll(' ', '\t')}\tii\t1\n`);
  writeFileSync(join(work, 'installed'), rows.join(''));
  const folder = 'ssm-documents';
  const sourced = [
    'rpm/versions',
    'dnf/table',
    'dnf/advisories',
    'dnf/resolve',
    'dnf/transaction',
    'lib/facts',
  ];
  const script = sourced.map((name) => `source ${folder}/${name}.sh`).join('; ');
  const { stdout, status } = spawnSync('bash', ['-c', `NEEDS=(); WORK=${work}; ${script}; ${call}`], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  return {
    status,
    lines: stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replaceAll('\t', ' ')),
  };
}

describe('the table of what would be done is read', () => {
  // Rows from https://github.com/rpm-software-management/dnf5/issues/326, the rest as dnf 4.23 prints it.
  it('of dnf 4, with rows that break and packages that replace others', () => {
    const text = `Dependencies resolved.
================================================================================
 Package                       Arch   Version               Repository     Size
================================================================================
Installing:
 kernel-core                   x86_64 5.14.0-2              baseos        2.0 k
Upgrading:
 pipewire-jack-audio-connection-kit-libs
                               x86_64 1.0.6-1.fc41          rawhide       133 k
 python3-nftables              x86_64 1:1.0.9-4.fc41        rawhide        20 k
     replacing  old-half.noarch 1.0-1
Removing dependent packages:
 clash                         noarch 1.0-1                 @System          4  

Transaction Summary
================================================================================
Install  1 Package
Upgrade  2 Packages
Remove   1 Package

Total download size: 155 k
Operation aborted.
`;
    const { status, lines } = read('parse_table', text, [
      'pipewire-jack-audio-connection-kit-libs x86_64 1.0.5-1.fc41',
      'python3-nftables x86_64 1:1.0.9-3.fc41',
      'kernel-core x86_64 5.14.0-1',
    ]);
    expect(status).toBe(0);
    expect(lines).toEqual([
      'kernel-core x86_64 - 5.14.0-2 install baseos 2048',
      'pipewire-jack-audio-connection-kit-libs x86_64 1.0.5-1.fc41 1.0.6-1.fc41 upgrade rawhide 136192',
      'python3-nftables x86_64 1:1.0.9-3.fc41 1:1.0.9-4.fc41 upgrade rawhide 20480',
      'old-half noarch 1.0-1 - replace - 0',
      'clash noarch 1.0-1 - remove - 0',
    ]);
    expect(read('parse_table', text.replace('Upgrade  2', 'Upgrade  3')).status).toBe(1);
  });

  // From https://github.com/rpm-software-management/dnf5/issues/1898, /1379 and /2365.
  it('of dnf 5, where every upgrade says that it replaces itself', () => {
    const { status, lines } = read(
      'parse_table',
      `Updating and loading repositories:
Repositories loaded.
Package                      Arch   Version                 Repository      Size
Upgrading:                                                                      
 efi-filesystem              noarch 5-13.fc41               updates      0.0   B
   replacing efi-filesystem  noarch 5-12.fc41               <unknown>    0.0   B
 unbound-libs                i686   0:1.22.0-8.fc41         updates      1.5 MiB
   replacing unbound-libs    i686   0:1.21.1-1.fc41         fedora       1.5 MiB
Installing:
 openh264                    x86_64 2.6.0-2.fc43            cisco        1.1 MiB
   replacing noopenh264      x86_64 2.6.0-1.fc43            @commandline 39.2 KiB

Transaction Summary:
 Installing:         1 package
 Replacing:          3 packages
 Upgrading:          2 packages

`,
      ['efi-filesystem noarch 5-12.fc41', 'unbound-libs i686 1.21.1-1.fc41'],
    );
    expect(status).toBe(0);
    expect(lines).toEqual([
      'efi-filesystem noarch 5-12.fc41 5-13.fc41 upgrade updates 0',
      'unbound-libs i686 1.21.1-1.fc41 1.22.0-8.fc41 upgrade updates 1572864',
      'openh264 x86_64 - 2.6.0-2.fc43 install cisco 1153433',
      'noopenh264 x86_64 2.6.0-1.fc43 - replace - 0',
    ]);
  });

  // As dnf 5.4.6 prints it.
  it('of dnf 5, with rows that it skips, and after problems and progress in lines that look like rows', () => {
    const text = `Updating and loading repositories:
 fedora                                 100% | 361.4 KiB/s |   4.0 KiB |  00m00s
Repositories loaded.
Problem: package tool-1.1-1.noarch from fedora requires libtool >= 1.1, but none of the providers can be installed
  - cannot install the best update candidate for package tool-1.0-1.noarch
  - package libtool-1.1-1.noarch from fedora is filtered out by exclude filtering

Package            Arch   Version Repository      Size
Upgrading:
 rival             noarch 0:1.1-1 fedora       4.0   B
   replacing rival noarch 0:1.0-1 <unknown>    4.0   B
Skipping packages with broken dependencies:
 tool              noarch 1.1-1   fedora       4.0   B

Transaction Summary:
 Upgrading:          1 package
 Replacing:          1 package
 Skipping:           1 package

Total size of inbound packages is 6 KiB. Need to download 6 KiB.
Operation aborted by the user.
`;
    const { status, lines } = read('parse_table', text, ['rival noarch 1.0-1', 'tool noarch 1.0-1']);
    expect(status).toBe(0);
    expect(lines).toEqual([
      'rival noarch 1.0-1 1.1-1 upgrade fedora 4',
      'tool noarch 1.0-1 1.1-1 skip fedora 4',
    ]);
  });

  // From https://github.com/adhocteam/homework/pull/71 and, for what it counts,
  // https://github.com/sassoftware/sas-container-recipes/issues/26.
  it('of yum 3, which counts what others need apart', () => {
    const { status, lines } = read(
      'parse_table',
      `--> Finished Dependency Resolution

Dependencies Resolved

================================================================================
 Package                 Arch     Version                       Repository
                                                                           Size
================================================================================
Installing:
 gcc                     x86_64   4.4.7-18.el6                  base       10 M
Updating:
 perl                    x86_64   4:5.10.1-144.el6              base       10 M
Installing for dependencies:
 cpp                     x86_64   4.4.7-18.el6                  base      3.7 M
Updating for dependencies:
 glibc                   x86_64   2.12-1.209.el6_9.2            updates   3.8 M

Transaction Summary
================================================================================
Install  1 Package  (+1 Dependent package)
Upgrade             ( 2 Dependent packages)

Total download size: 27 M
Exiting on user command
`,
      ['perl x86_64 4:5.10.1-141.el6', 'glibc x86_64 2.12-1.208.el6'],
    );
    expect(status).toBe(0);
    expect(lines.map((line) => line.split(' ').slice(0, 5).join(' '))).toEqual([
      'gcc x86_64 - 4.4.7-18.el6 install',
      'perl x86_64 4:5.10.1-141.el6 4:5.10.1-144.el6 upgrade',
      'cpp x86_64 - 4.4.7-18.el6 install',
      'glibc x86_64 2.12-1.208.el6 2.12-1.209.el6_9.2 upgrade',
    ]);
  });
});

it.each([
  ['RLSA-2026:1 Important/Sec. tool-1.1-1.noarch', 'RLSA-2026:1 tool noarch 1.1-1'],
  [
    'RLSA-2026:1 Moderate/Sec. python3-nftables-1:1.0.9-4.el9.x86_64',
    'RLSA-2026:1 python3-nftables x86_64 1:1.0.9-4.el9',
  ],
  ['RHSA-2020:1 Low/Sec. 1:openssl-1.0.2k-19.el7.x86_64', 'RHSA-2020:1 openssl x86_64 1:1.0.2k-19.el7'],
  [
    'FEDORA-2026-1 security Important tool-1.1-1.fc41.noarch 2026-11-21',
    'FEDORA-2026-1 tool noarch 1.1-1.fc41',
  ],
])('an advisory listed as %s is understood', (line, expected) => {
  expect(read('read_advisory_list', `${line}\n`).lines).toEqual([expected]);
});

it('an advisory of dnf 5 keeps its kind, although its references have kinds too', () => {
  const text = `Name        : FEDORA-2026-1
Title       : FEDORA-2026-1
Severity    : Important
Type        : security
Status      : final
Vendor      : fleet@example.invalid
Issued      : 2026-11-21 07:59:35
Description : FEDORA-2026-1
Message     :${' '}
Rights      :${' '}
Reference   :${' '}
  Title     : CVE-2026-0001
  Id        : CVE-2026-0001
  Type      : cve
  Url       :${' '}
Collection  :${' '}
  Packages  : tool-1.1-1.noarch
`;
  expect(read('read_advisory_info', text).lines).toEqual(['FEDORA-2026-1 security important CVE-2026-0001']);
});

it('lists of yum 3 are read, also where a long name breaks its row', () => {
  const text = `Loaded plugins: fastestmirror
Available Packages
bash.x86_64                        4.2.46-35.el7_9                      updates
libvirt-daemon-driver-storage-gluster.x86_64
                                   0:4.5.0-10.el7_6.12                  updates
`;
  expect(read('read_list', text).lines).toEqual([
    'bash x86_64 4.2.46-35.el7_9',
    'libvirt-daemon-driver-storage-gluster x86_64 4.5.0-10.el7_6.12',
  ]);
});

describe('a script that failed while the exit code is 0 is found', () => {
  it.each([
    ['dnf 4', 'Error in POSTIN scriptlet in rpm package fails-after\n', 'POSTIN of fails-after'],
    [
      'rpm',
      'warning: %post(fails-1.1-1.noarch) scriptlet failed, exit status 3\n',
      '%post of fails-1.1-1.noarch',
    ],
    ['dnf 5', '>>> [RPM] %preun(a-1-1.noarch) scriptlet failed, exit status 1\n', '%preun of a-1-1.noarch'],
    ['yum 3', 'Non-fatal POSTIN scriptlet failure in rpm package x-1-1.noarch\n', 'POSTIN of x-1-1.noarch'],
  ])('in the words of %s', (_, text, script) => {
    writeFileSync(join(work, 'log'), text);
    const { lines } = read(`PACKAGE_MANAGER=dnf; family_transaction_problem 0 ${work}/log`, '');
    expect(lines).toEqual([`dnf ended with 0, and scripts failed: ${script}`]);
  });
});

// As rpm.vercmp of rpm 4.20.1 has them.
it.each([
  ['1.0', '1.0', 0],
  ['1.0', '2.0', -1],
  ['2.0.1a', '2.0.1', 1],
  ['5.5p1', '5.5p10', -1],
  ['10xyz', '10.1xyz', -1],
  ['xyz10', 'xyz10.1', -1],
  ['xyz.4', '8', -1],
  ['6.0.rc1', '6.0', 1],
  ['10b2', '10a1', 1],
  ['1.0a', '1.0aa', -1],
  ['10.0001', '10.1', 0],
  ['10.0001', '10.0039', -1],
  ['20101121', '20101122', -1],
  ['1.0~rc1', '1.0', -1],
  ['1.0~rc1~git123', '1.0~rc1', -1],
  ['1.0^', '1.0', 1],
  ['1.0^git1', '1.01', -1],
  ['1.0^20160101', '1.0.1', -1],
  ['1.0~rc1^git1', '1.0~rc1', 1],
  ['1:1.0', '2.0', 1],
  ['1.0-2', '1.0-10', -1],
] as const)('versions %s and %s are in the order of rpm', (a, b, order) => {
  const { status } = read(`family_version_at_least '${a}' '${b}'`, '');
  const turned = read(`family_version_at_least '${b}' '${a}'`, '');
  expect([status === 0, turned.status === 0]).toEqual([order >= 0, order <= 0]);
});
