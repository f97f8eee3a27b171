import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildDeb, nativeArchitecture } from '../../../../apps/local/hosts/deb-file.ts';

const MODIFIED = 1_795_224_000;

/** The members of an ar archive, by name. */
function members(deb: Buffer): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (let at = 8; at < deb.length; ) {
    const size = Number(deb.toString('latin1', at + 48, at + 58));
    found[deb.toString('latin1', at, at + 16).trim()] = deb.subarray(at + 60, at + 60 + size);
    at += 60 + size + (size % 2);
  }
  return found;
}

interface Entry {
  readonly mode: string;
  readonly owner: string;
  readonly content: string;
}

/** The entries of a gzipped tar archive, by path; wrong checksums throw. */
function entries(archive: Buffer | undefined): Record<string, Entry> {
  const tar = gunzipSync(archive ?? Buffer.alloc(0));
  const text = (from: number, to: number) => tar.toString('latin1', from, to).replace(/\0.*$/s, '');
  const found: Record<string, Entry> = {};
  for (let at = 0; tar[at] !== 0; ) {
    const head = Buffer.from(tar.subarray(at, at + 512));
    const sum = Number.parseInt(text(at + 148, at + 156), 8);
    head.fill(' ', 148, 156);
    if (head.reduce((total, byte) => total + byte, 0) !== sum)
      throw new Error(`checksum of ${text(at, at + 100)}`);
    const size = Number.parseInt(text(at + 124, at + 136), 8);
    found[text(at, at + 100)] = {
      mode: text(at + 100, at + 107),
      owner: `${text(at + 265, at + 297)}:${Number.parseInt(text(at + 108, at + 116), 8)}`,
      content: tar.toString('utf8', at + 512, at + 512 + size),
    };
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

describe('a package file', () => {
  const deb = buildDeb(
    {
      name: 'harbor-common',
      version: '1:1.8-1',
      architecture: 'native',
      depends: 'libharbor2 (>= 2)',
      files: {
        '/etc/harbor/harbor.conf': { content: 'port = 80\n', conffile: true },
        '/usr/sbin/harbor': { content: '#!/bin/sh\n', mode: 0o755 },
      },
      scripts: { postinst: '#!/bin/sh\nexit 0\n' },
    },
    MODIFIED,
  );

  it('has the three members of a Debian package, in their order', () => {
    expect(deb.content.toString('latin1', 0, 8)).toBe('!<arch>\n');
    expect(Object.keys(members(deb.content))).toEqual(['debian-binary', 'control.tar.gz', 'data.tar.gz']);
    expect(members(deb.content)['debian-binary']?.toString()).toBe('2.0\n');
  });

  it('is named without the epoch, for the architecture of this machine', () => {
    expect(deb.fileName).toBe(`harbor-common_1.8-1_${nativeArchitecture()}.deb`);
    expect(buildDeb({ name: 'x', version: '1' }, MODIFIED).fileName).toBe('x_1_all.deb');
  });

  it('carries fields, scripts and the list of configuration files', () => {
    const control = entries(members(deb.content)['control.tar.gz']);
    expect(control['./control']?.content).toBe(deb.control);
    expect(deb.control).toContain('Version: 1:1.8-1\n');
    expect(deb.control).toContain('Depends: libharbor2 (>= 2)\n');
    expect(deb.control).not.toContain('undefined');
    expect(control['./conffiles']?.content).toBe('/etc/harbor/harbor.conf\n');
    expect(control['./postinst']).toMatchObject({ mode: '0000755', content: '#!/bin/sh\nexit 0\n' });
  });

  it('carries its files below their folders, all owned by root', () => {
    const data = entries(members(deb.content)['data.tar.gz']);
    expect(Object.keys(data)).toEqual([
      './',
      './etc/',
      './etc/harbor/',
      './usr/',
      './usr/sbin/',
      './etc/harbor/harbor.conf',
      './usr/sbin/harbor',
    ]);
    expect(data['./usr/sbin/harbor']).toEqual({ mode: '0000755', owner: 'root:0', content: '#!/bin/sh\n' });
    expect(data['./etc/harbor/harbor.conf']?.mode).toBe('0000644');
  });

  it('refuses a path that a plain tar header has no room for', () => {
    const files = { [`/usr/share/${'x'.repeat(100)}`]: { content: '' } };
    expect(() => buildDeb({ name: 'x', version: '1', files }, MODIFIED)).toThrow('is too long for a package');
  });
});

it('names processors as Debian does, and refuses those it does not know', () => {
  expect(nativeArchitecture('x64')).toBe('amd64');
  expect(nativeArchitecture('arm64')).toBe('arm64');
  expect(() => nativeArchitecture('s390')).toThrow('processor "s390"');
});
