/** Owns which hosts a run uses, and brings them up as servers of the embedded fleet. */
import type { Server } from '../../core/server.ts';
import type { HostChoice } from './arguments.ts';
import { UsageError } from './arguments.ts';
import type { Endpoints } from './aws/endpoints.ts';
import { createDebianFleet } from './hosts/debian-fleet.ts';
import { breakDemoPatch, demoPackages, publishDemoUpdates } from './hosts/demo-fleet.ts';
import { type Availability, detectHosts } from './hosts/detect-hosts.ts';
import type { Host } from './hosts/host.ts';
import { createSandboxFleet } from './hosts/sandbox-fleet.ts';
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
  readonly progress: (line: string) => void;
}

export async function startLocalFleet({
  used,
  servers,
  endpoints,
  failing,
  progress,
}: FleetRequest): Promise<LocalFleet> {
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
  const fleet = await createSandboxFleet({
    servers: members,
    how: used.how,
    ...demoPackages,
    endpoints: listeners,
    progress,
    now: systemDate,
  });
  try {
    await publishDemoUpdates(fleet.repository);
    const broken = fleet.hosts.find((host) => host.id === failing?.id);
    if (broken) await breakDemoPatch(broken);
  } catch (error) {
    await fleet.close();
    throw error;
  }
  return fleet;
}
