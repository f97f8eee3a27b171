/** Owns which hosts a run uses, and brings them up as servers of the embedded fleet. */
import type { Server } from '../../core/server.ts';
import type { HostChoice } from './arguments.ts';
import { UsageError } from './arguments.ts';
import type { Endpoints } from './aws/endpoints.ts';
import { createDebianFleet } from './hosts/debian-fleet.ts';
import { breakDemoPatch, breakDemoService, demoPackages, publishDemoUpdates } from './hosts/demo-fleet.ts';
import { type Availability, detectHosts } from './hosts/detect-hosts.ts';
import {
  demoInstalled,
  demoReleases,
  ofFamilies,
  publishFamilyUpdates,
} from './hosts/families/demo-families.ts';
import { createFamilyFleet } from './hosts/families/family-fleet.ts';
import type { Host } from './hosts/host.ts';
import { createSandboxFleet, type SandboxFleetOptions } from './hosts/sandbox-fleet.ts';
import { createShimFleet } from './hosts/shim.ts';
import type { HostsUsed } from './report/report-data.ts';
import { systemDate } from './system-clock.ts';

export interface LocalFleet {
  readonly hosts: readonly Host[];
  close(): Promise<void>;
}

/** The hosts that were asked for, or the best that this machine can run. @throws UsageError */
export async function chooseHosts(wanted: HostChoice | undefined): Promise<HostsUsed> {
  if (wanted === 'shim') return { kind: 'shim', how: 'shim', reason: 'asked for' };
  const found = await detectHosts();
  const kind = wanted ?? 'sandbox';
  const availability: Availability = found[kind];
  if (availability.available) return { kind, how: availability.how, reason: availability.reason };
  if (wanted === undefined)
    return { kind: 'shim', how: 'shim', reason: `no real hosts here: ${availability.reason}` };
  throw new UsageError(
    `--hosts ${wanted} can not run here: ${availability.reason}; --hosts shim runs anywhere`,
  );
}

export interface FleetRequest {
  readonly used: HostsUsed;
  readonly servers: readonly Server[];
  readonly endpoints: Endpoints;
  /** Whose patch is to fail. */
  readonly failing: Server | undefined;
  /** Whose patch is to go well and break its service, where services run. */
  readonly rehearsed: Server | undefined;
  readonly progress: (line: string) => void;
}

export async function startLocalFleet({
  used,
  servers,
  endpoints,
  failing,
  rehearsed,
  progress,
}: FleetRequest): Promise<LocalFleet> {
  const other = servers.find(({ family }) => family !== 'debian');
  if (other && used.kind !== 'sandbox')
    throw new UsageError(
      `server ${other.name} is of the family ${other.family}, which --hosts ${used.kind} has not: use --hosts sandbox`,
    );
  const byId = new Map(servers.map((server) => [server.id, server]));
  const listeners = (hostId: string) => endpoints.listenersFor(byId.get(hostId) as Server);
  const members = servers.map(({ id, name }) => ({ id, name }));
  if (used.how === 'shim')
    return createShimFleet({ servers: members, endpoints: listeners, failing: failing?.id });
  if (used.kind === 'debian') {
    if (failing)
      throw new UsageError(
        '--fail canary needs packages that can be made to fail: use --hosts sandbox or shim',
      );
    return createDebianFleet({ servers: members, endpoints: listeners, progress });
  }
  const common = { how: used.how, endpoints: listeners, progress, now: systemDate };
  const fleet = other ? await createFamilies(servers, common) : await createDebians(members, common);
  try {
    await fleet.publish();
    const broken = fleet.hosts.find((host) => host.id === failing?.id);
    if (broken) await breakDemoPatch(broken);
    const unwell = fleet.hosts.find((host) => host.id === rehearsed?.id);
    if (unwell) await breakDemoService(unwell);
  } catch (error) {
    await fleet.close();
    throw error;
  }
  return fleet;
}

type Common = Pick<SandboxFleetOptions, 'how' | 'endpoints' | 'progress' | 'now'>;
type Published = LocalFleet & { publish(): Promise<void> };

async function createDebians(members: SandboxFleetOptions['servers'], common: Common): Promise<Published> {
  const fleet = await createSandboxFleet({ ...common, servers: members, ...demoPackages });
  return { ...fleet, publish: () => publishDemoUpdates(fleet.repository) };
}

async function createFamilies(servers: readonly Server[], common: Common): Promise<Published> {
  const members = servers.map(({ id, name, family }) => ({ id, name, release: demoReleases[family] }));
  const releases = members.map(({ release }) => release);
  const installed = demoInstalled(releases);
  const fleet = await createFamilyFleet({ ...common, servers: members, installed, debian: demoPackages });
  return {
    ...fleet,
    async publish() {
      await publishDemoUpdates(fleet.debianRepository);
      for (const release of ofFamilies(releases))
        await publishFamilyUpdates(release, fleet.repository(release));
    },
  };
}
