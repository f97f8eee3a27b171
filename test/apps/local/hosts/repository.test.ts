import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativeArchitecture } from '../../../../apps/local/hosts/deb-file.ts';
import { createSigningKey } from '../../../../apps/local/hosts/openpgp.ts';
import { createRepository, type Repository } from '../../../../apps/local/hosts/repository.ts';

const at = new Date('2026-11-21T01:20:00Z');
const native = nativeArchitecture();
const library = { name: 'libharbor2', version: '2.4.1-3', architecture: 'native', section: 'libs' } as const;

let folder: string;
let repository: Repository;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'repository-'));
  repository = await createRepository({ folder, key: createSigningKey('Test', at), now: () => at });
});
afterEach(() => rm(folder, { recursive: true }));

const release = (suite: string) => readFile(join(folder, 'dists', suite, 'InRelease'), 'utf8');
const index = (suite: string) =>
  readFile(join(folder, `dists/${suite}/main/binary-${native}/Packages`), 'utf8');

describe('a generated repository', () => {
  it('has both suites from the start, told apart by label as Debian does', async () => {
    expect(await release('trixie')).toMatch(/^Label: Debian$/m);
    expect(await release('trixie-security')).toMatch(/^Label: Debian-Security$/m);
    expect(await index('trixie')).toBe('');
  });

  it('lists in its signed part the checksum of the index, and in the index that of each package', async () => {
    await repository.publish('stable-security', [library]);
    const packages = await index('trixie-security');
    expect(packages).toContain(`Package: libharbor2\nVersion: 2.4.1-3\nArchitecture: ${native}\n`);
    const digest = createHash('sha256').update(packages).digest('hex');
    expect(await release('trixie-security')).toContain(
      `\n ${digest} ${packages.length} main/binary-${native}/Packages\n`,
    );
    const file = join(folder, /^Filename: (.*)$/m.exec(packages)?.[1] ?? '');
    const content = await readFile(file);
    expect(packages).toContain(`SHA256: ${createHash('sha256').update(content).digest('hex')}\n`);
    expect(packages).toContain(`Size: ${content.length}\n`);
  });

  it('keeps what it has when more is published, and puts the same version in place of the old', async () => {
    await repository.publish('stable', [library]);
    await repository.publish('stable', [{ ...library, version: '2.4.2-1' }]);
    await repository.publish('stable', [{ ...library, section: 'oldlibs' }]);
    const packages = await index('trixie');
    expect(packages.match(/^Version: .*$/gm)?.sort()).toEqual(['Version: 2.4.1-3', 'Version: 2.4.2-1']);
    expect(packages).toContain('Section: oldlibs');
  });

  it('withdraws a version with its file, and says so where there is none', async () => {
    await repository.publish('stable', [library]);
    const file = join(folder, /^Filename: (.*)$/m.exec(await index('trixie'))?.[1] ?? '');
    await repository.withdraw('stable', 'libharbor2', '2.4.1-3');
    expect(await index('trixie')).toBe('');
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await expect(repository.withdraw('stable', 'libharbor2', '9')).rejects.toThrow(
      'suite "stable" has no libharbor2 9',
    );
  });

  describe('over HTTP', () => {
    let server: Server;
    let address: string;
    beforeEach(async () => {
      server = createServer(repository.listener);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('serves its files, also where a name is escaped', async () => {
      await repository.publish('stable', [{ ...library, version: '2.4.1-3+deb13u1' }]);
      const path = `/pool/stable/libharbor2_2.4.1-3%2bdeb13u1_${native}.deb`;
      expect(Buffer.from(await (await fetch(address + path)).arrayBuffer()).toString('latin1', 0, 8)).toBe(
        '!<arch>\n',
      );
    });

    it('answers 404 to what it does not have, and never leaves its folder', async () => {
      expect((await fetch(`${address}/dists/sid/InRelease`)).status).toBe(404);
      expect((await fetch(`${address}/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd`)).status).toBe(404);
    });
  });
});
