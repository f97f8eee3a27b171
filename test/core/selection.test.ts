import { describe, expect, test } from 'vitest';
import { documentParameters } from '../../core/document.ts';
import { orderText } from '../../core/order.ts';
import { selectionSchema } from '../../core/selection.ts';
import { campaignOf, policyOf, serverId } from '../support/samples.ts';

describe('a selection', () => {
  test('reaches servers as lines of their own order', () => {
    const selection = selectionSchema.parse({
      mode: 'advisories',
      names: ['RHSA-2026:1234', 'CVE-2026-12345'],
      repositories: { enable: ['extras'], disable: ['epel*'] },
      release: '2023.9.20260112',
    });
    const text = orderText(
      'campaign-0001',
      'prepare',
      [{ serverId: serverId(1), exclusions: [], plan: null }],
      {
        selection,
        never: ['glibc*'],
      },
    );
    expect(text.split('\n').slice(2, -1)).toEqual([
      'select\tRHSA-2026:1234',
      'select\tCVE-2026-12345',
      'repository\tenable\textras',
      'repository\tdisable\tepel*',
      'release\t2023.9.20260112',
      'never\tglibc*',
    ]);
  });

  test.each([
    ['groups', ['@development-tools', 'lamp_server']],
    ['packages', ['libstdc++6', 'python3.11']],
    [
      'advisories',
      ['openSUSE-SLE-15.6-2026-1', 'ALAS2023-2026-1', 'SUSE-SU-2026:0001-1', 'FEDORA-2026-0a1b2c'],
    ],
  ])('of %s takes names as vendors write them', (mode, names) => {
    expect(selectionSchema.parse({ mode, names }).names).toEqual(names);
  });

  test.each([
    ['a mode without names', { mode: 'packages' }],
    ['names without a mode', { names: ['openssl'] }],
    ['a name that is an option', { mode: 'packages', names: ['--nogpgcheck'] }],
    ['a name that is a path', { mode: 'packages', names: ['/tmp/evil.rpm'] }],
    ['a command in a name', { mode: 'packages', names: ['$(reboot)'] }],
    ['a line feed in a name', { mode: 'packages', names: ['a\nplan'] }],
    ['a package where advisories are asked for', { mode: 'advisories', names: ['openssl'] }],
    ['a repository that is an option', { repositories: { enable: ['-x'] } }],
    ['the latest release', { release: 'latest' }],
    ['a mode of policies', { mode: 'security', names: ['a'] }],
  ])('with %s is refused', (_, input) => {
    expect(() => selectionSchema.parse(input)).toThrow();
  });

  test('decides what documents are asked for, also in a scan', () => {
    const scan = policyOf({ mode: 'scan' });
    const campaign = campaignOf({
      policy: scan,
      selection: selectionSchema.parse({ mode: 'packages', names: ['openssl'] }),
    });
    const order = { key: 'orders/a.txt', sha256: 'a' };
    const buckets = {
      objects: { bucket: 'bucket', region: 'eu-central-1' },
      backups: { bucket: 'backups' },
    };
    expect(documentParameters(campaign, 'prepare', buckets, order).Mode).toBe('packages');
  });
});
