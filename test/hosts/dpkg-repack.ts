/** Puts Debian's own dpkg-repack, with what it needs of perl, on hosts that are too small to have it. */
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, cacheFolder } from '../../apps/local/hosts/base-cache.ts';
import { MIRROR_URL } from '../../apps/local/hosts/fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { findDebianMirror, privateApt } from '../../apps/local/hosts/machine-apt.ts';
import { shell } from './observe.ts';

/** As the hosts themselves, so that modules fit their perl. */
const SUITE = 'trixie';
const PARTS = ['dpkg-repack', 'libdpkg-perl', 'perl-modules'];

const debs = () =>
  cached('dpkg-repack', { SUITE, PARTS }, async (folder) => {
    const mirror = await findDebianMirror();
    if ('reason' in mirror) throw new Error(mirror.reason);
    const work = await mkdtemp(join(cacheFolder(), 'dpkg-repack-packages-'));
    try {
      const apt = await privateApt(work, mirror, [{ uri: mirror.main, suite: SUITE }]);
      await apt.update();
      for (const path of await apt.download(['dpkg-repack']))
        if (PARTS.some((part) => basename(path).startsWith(part)))
          await copyFile(path, join(folder, basename(path)));
    } finally {
      await rm(work, { recursive: true });
    }
  });

/** @param served folder of the repository that the host fetches from */
export async function bringDpkgRepack(host: Host, served: string): Promise<void> {
  const folder = await debs();
  for (const name of await readdir(folder)) {
    await copyFile(join(folder, name), join(served, name));
    const { code, stderr } = await shell(
      host,
      `curl -sSf -o /tmp/part.deb ${MIRROR_URL}/${name} && dpkg-deb --fsys-tarfile /tmp/part.deb | tar -x -C / --exclude ./usr/share/doc --exclude ./usr/share/man`,
    );
    if (code !== 0) throw new Error(`${name} could not be unpacked on ${host.name}: ${stderr}`);
  }
}
