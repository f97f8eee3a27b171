/** A fleet of real Debian hosts, whose pending upgrades are Debian's own. */
import { join } from 'node:path';
import { cacheFolder, type Progress } from './base-cache.ts';
import { debianBase } from './debian-base.ts';
import { debianMirrorListener } from './debian-mirror.ts';
import { type Endpoints, type Fleet, type FleetServer, startFleet } from './fleet.ts';
import { findDebianMirror, privateApt } from './machine-apt.ts';
import { sandboxBase } from './sandbox-base.ts';
import { openVessel } from './vessel.ts';

export interface DebianFleetOptions {
  readonly servers: readonly FleetServer[];
  readonly endpoints: Endpoints;
  readonly progress: Progress;
  readonly cache?: string;
}

/** Measured: 22 upgrades with their downloads and a few decompressed indexes come to 200 MB. */
const CHANGES_PER_HOST = 400 * 2 ** 20;

export async function createDebianFleet(options: DebianFleetOptions): Promise<Fleet> {
  const { servers, endpoints, progress, cache = cacheFolder() } = options;
  const found = await findDebianMirror();
  if ('reason' in found) throw new Error(`no Debian hosts on this machine: ${found.reason}`);
  const { security } = found;
  if (!security) throw new Error('no Debian hosts on this machine: its apt has no security suite configured');
  const mirror = { ...found, security };
  // The sandbox's base brings the tools, so that an older or bare machine boots hosts all the same.
  const tools = await sandboxBase(mirror, progress, cache);
  const base = await debianBase(mirror, progress, cache);
  const vessel = await openVessel({
    how: 'booted',
    tools,
    bases: [base],
    cache,
    changes: servers.length * CHANGES_PER_HOST,
  });
  const apt = await privateApt(join(vessel.folder, 'apt'), mirror, []);
  const archives = debianMirrorListener(mirror, apt, join(cache, 'mirror'));
  progress(`starting ${servers.length} Debian hosts`);
  return startFleet(vessel, {
    servers,
    endpoints,
    repository: () => archives,
    layer: () => ({ name: 'debian', base, files: {} }),
  });
}
