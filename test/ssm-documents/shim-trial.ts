/** Owns one shim host to try documents on, and what tests look at there. */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEndpoints, type Endpoints } from '../../apps/local/aws/endpoints.ts';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createShimFleet, type ShimFleet, startShimFleet } from '../../apps/local/hosts/shim.ts';
import { SHIM_PATH } from '../../apps/local/hosts/shim-host.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import type { Objects } from '../../core/ports.ts';
import {
  backupBucket,
  bucket,
  createTrials,
  documentOf,
  place,
  type Trials,
} from '../support/document-trials.ts';
import { startStep } from '../support/run-document.ts';

export const serverId = 'i-0123456789abcdef0';

export interface ShimTrial extends Trials {
  readonly host: Host;
  readonly fleet: ShimFleet;
  readonly endpoints: Endpoints;
  /** The campaign bucket, and the one for backups. */
  readonly objects: Objects;
  readonly backups: Objects;
}

/** @param installed the demonstration's fleet when absent */
export async function startShimTrial(
  installed?: readonly PackageSpec[],
  failing?: string,
): Promise<ShimTrial> {
  const objects = createMemoryObjects(bucket, place.region);
  const backups = createMemoryObjects(backupBucket, place.region);
  const endpoints = createEndpoints({ objects, backups, clock: { now: () => Date.now() } });
  const common = {
    servers: [{ id: serverId, name: 'shim' }],
    endpoints: (id: string) => endpoints.listenersFor({ id, place }),
  };
  const fleet = installed
    ? await startShimFleet({ ...common, installed, automatic: [] })
    : await createShimFleet({ ...common, failing });
  return { ...createTrials(objects), host: fleet.hosts[0] as Host, fleet, endpoints, objects, backups };
}

export const spec = (name: string, version: string, postinst?: string): PackageSpec => ({
  name,
  version,
  ...(postinst !== undefined && { scripts: { postinst } }),
});

/** A maintainer script that stops until /run/go is there. */
export const waitingScript = (last = ':') =>
  `#!/bin/sh\n: >"$DPKG_ROOT/run/reached"\nwhile [ ! -e "$DPKG_ROOT/run/go" ]; do sleep 0.05; done\n${last}\n`;

export const installedVersions = async (host: Host) => {
  const { stdout } = host.run({
    argv: ['dpkg-query', '-W', '-f', `\${Package}\\t\${Version}\\t\${db:Status-Abbrev}\\n`],
  });
  const lines = (await text(stdout)).trimEnd().split('\n');
  return Object.fromEntries(
    lines
      .map((line) => line.split('\t'))
      .map(([name, version, state]) => [name, `${version} ${state?.trim()}`]),
  );
};

export async function until(host: Host, path: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if ((await host.readFile(path)) !== undefined) return;
    await sleep(25);
  }
  throw new Error(`${path} never came to be on ${host.name}`);
}

/** Sends the patch, and cuts the power once the host has the file `reached`; then it is on again. */
export async function cutPowerInPatch(
  host: Host,
  parameters: Readonly<Record<string, string>>,
  reached: string,
): Promise<void> {
  const cut = startStep(host, documentOf('patch'), 'work', parameters);
  await until(host, reached);
  await host.powerCut();
  await cut.exit;
  await host.reboot();
}

/** The same host with a program that does as a script says, and then as it always does. */
export async function withProgram({ host, fleet }: ShimTrial, name: string, script: string): Promise<Host> {
  const folder = join(fleet.repository.folder, '..', `instead-of-${name}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/bash\n${script}\nPATH=\${PATH#*:} exec ${name} "$@"\n`, {
    mode: 0o755,
  });
  return { ...host, env: { ...host.env, PATH: `${folder}:${SHIM_PATH}` } };
}

/** The same host without a program of the machine. */
export async function withoutProgram({ host, fleet }: ShimTrial, missing: string): Promise<Host> {
  const folder = join(fleet.repository.folder, '..', `without-${missing}`);
  await mkdir(folder, { recursive: true });
  const [shim, ...machine] = SHIM_PATH.split(':') as [string, ...string[]];
  for (const from of machine) {
    for (const name of await readdir(from).catch(() => [])) {
      if (name !== missing) await symlink(join(from, name), join(folder, name)).catch(() => {});
    }
  }
  return { ...host, env: { ...host.env, PATH: `${shim}:${folder}` } };
}
