import { describe, expect, test } from 'vitest';
import type { RestoredFile } from '../../core/ports.ts';
import { compareRestore } from '../../core/restore-test.ts';

const hash = '0f'.repeat(32);
const files: RestoredFile[] = [
  { path: 'etc/hosts', type: 'file', mode: '0644', sha256: hash },
  { path: 'etc/localtime', type: 'link', mode: '0777', target: '/usr/share/zoneinfo/UTC' },
  { path: 'etc/new\nline', type: 'file', mode: '0644', sha256: hash },
];
const listed = `/etc/hosts\tf\t${hash}\t644:root:root\n/etc/localtime\tl\t/usr/share/zoneinfo/UTC\t777:root:root\n`;
const restored = (changes: readonly RestoredFile[] = files) => ({
  files: changes,
  texts: new Map([['manifest.tsv', 'openssl\n']]),
});
const told = { files: listed, manifest: 'openssl\n' };

describe('a restore', () => {
  test('in which everything is as it was listed has no differences', () => {
    expect(compareRestore(restored(), told)).toEqual({ files: 2, packages: 1, differences: [] });
  });

  test.each([
    [
      'a file with another content',
      { ...files[0], sha256: '00'.repeat(32) },
      '/etc/hosts has another content',
    ],
    ['a file with another mode', { ...files[0], mode: '0600' }, '/etc/hosts has mode 0600'],
    ['a folder for a file', { ...files[0], type: 'directory' }, '/etc/hosts is no file but directory'],
    ['a link elsewhere', { ...files[1], target: '/etc/shadow' }, '/etc/localtime is another link'],
    ['no such file', { ...files[0], path: 'etc/other' }, '/etc/hosts is not there'],
  ])('with %s says so', (_what, changed, difference) => {
    const [first, second] = files;
    const all = [first, second].map((file) =>
      file?.type === (changed.target ? 'link' : 'file') ? (changed as RestoredFile) : (file as RestoredFile),
    );
    expect(compareRestore(restored(all), told).differences).toEqual([difference]);
  });

  test('without a list proves nothing', () => {
    expect(compareRestore(restored(), { ...told, files: '' }).differences).toEqual([
      'the server listed no files, or its list can not be read',
    ]);
    expect(compareRestore(restored(), { ...told, manifest: undefined }).differences).toHaveLength(1);
  });
});
