import { expect, test } from 'vitest';
import { familyOf } from '../../core/family.ts';

test.each([
  ['Debian GNU/Linux', 'debian'],
  ['Ubuntu', 'debian'],
  ['ubuntu 22.04 LTS', 'debian'],
  ['Red Hat Enterprise Linux', 'rhel'],
  ['RHEL 9', 'rhel'],
  ['Rocky Linux', 'rhel'],
  ['Amazon Linux', 'amazon'],
  ['AL2023', 'amazon'],
  ['AlmaLinux 9.4', 'rhel'],
  ['SLES', 'suse'],
  [' Arch Linux', 'arch'],
  ['macOS', undefined],
  ['Microsoft Windows Server', undefined],
  ['', undefined],
])('platform %j is of family %s', (platform, family) => {
  expect(familyOf(platform)).toBe(family);
});
