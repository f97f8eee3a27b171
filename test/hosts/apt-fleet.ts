/** Owns the fleet that the documents are tried on: real apt, a signed repository, S3 and instance metadata. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createEndpoints, type Endpoints } from '../../apps/local/aws/endpoints.ts';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { Suite } from '../../apps/local/hosts/repository.ts';
import { createSandboxFleet, type SandboxFleet } from '../../apps/local/hosts/sandbox-fleet.ts';
import type { How } from '../../apps/local/hosts/vessel.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import type { Objects } from '../../core/ports.ts';
import { backupBucket, bucket, createTrials, place, type Trials } from '../support/document-trials.ts';
import { shell } from './observe.ts';

export interface AptFleet extends Trials {
  readonly sandbox: SandboxFleet;
  readonly endpoints: Endpoints;
  readonly objects: Objects;
  readonly backups: Objects;
  host(name: string): Host;
  /** Has updates published while `work` runs, and gone afterwards. */
  whilePublished<T>(suite: Suite, packages: readonly PackageSpec[], work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function createAptFleet(options: {
  readonly names: readonly string[];
  readonly installed: readonly PackageSpec[];
  readonly automatic?: readonly string[];
  readonly how?: How;
}): Promise<AptFleet> {
  const objects = createMemoryObjects(bucket, place.region);
  const backups = createMemoryObjects(backupBucket, place.region);
  const endpoints = createEndpoints({ objects, backups, clock: { now: () => Date.now() } });
  const servers = options.names.map((name, index) => ({
    id: `i-0${index.toString(16).padStart(16, '0')}`,
    name,
  }));
  const sandbox = await createSandboxFleet({
    servers,
    how: options.how ?? 'booted',
    installed: options.installed,
    automatic: options.automatic ?? [],
    endpoints: (id) => endpoints.listenersFor({ id, place }),
    progress: () => {},
    now: () => new Date(),
  });
  return {
    sandbox,
    endpoints,
    objects,
    backups,
    host(name) {
      const host = sandbox.hosts.find((candidate) => candidate.name === name);
      if (!host) throw new Error(`no host ${name}`);
      return host;
    },
    ...createTrials(objects),
    async whilePublished(suite, packages, work) {
      await sandbox.repository.publish(suite, packages);
      try {
        return await work();
      } finally {
        for (const { name, version } of packages) await sandbox.repository.withdraw(suite, name, version);
      }
    },
    close: () => sandbox.close(),
  };
}

/** A package that only exists, at some version. */
export const plain = (name: string, version: string, more: Partial<PackageSpec> = {}): PackageSpec => ({
  name,
  version,
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
  ...more,
});

/** Stops in a maintainer script until /run/go is there. */
export const waiting = (version: string, script: 'preinst' | 'postinst', last = ':'): PackageSpec =>
  plain('slow-tool', version, {
    scripts: {
      [script]: `#!/bin/sh\nset -e\necho "$0" >>/var/tmp/slow-runs\n: >/run/reached\nwhile [ ! -e /run/go ]; do sleep 0.05; done\n${last}\n`,
    },
  });

/** Version and dpkg state of a package on a host, `1.0-1 ii`. */
export const version = async (host: Host, name: string) =>
  (await shell(host, `dpkg-query -W -f '\${Version} \${db:Status-Abbrev}' ${name}`)).stdout.trim();

export async function until(host: Host, path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await host.readFile(path)) !== undefined) return;
    await sleep(50);
  }
  throw new Error(`${path} never came to be on ${host.name}`);
}
