/** Owns the Run Commands of a run: one for each account and Region of its servers, and an agent on every host. */
import { join } from 'node:path';
import { documentPrefix } from '../../core/document.ts';
import { type Place, placeKey, type Server } from '../../core/server.ts';
import { assembleDocuments } from '../../ssm-documents/assemble.ts';
import type { LocalClock } from './clock.ts';
import type { EmbeddedHost } from './embedded-host.ts';
import type { Host } from './hosts/host.ts';
import { observedHost } from './hosts/observed-host.ts';
import { createCommands, createFleet } from './run-command/commands.ts';
import { createHostAgent } from './run-command/host-agent.ts';
import { type PlacedPorts, placedPorts } from './run-command/placed.ts';
import { RunCommand } from './run-command/service.ts';

/** The agent calls `shutdown -r +1`; nobody watches a demonstration for that minute. */
const rebootDelay = 1;

export interface RunCommandsOptions {
  readonly clock: LocalClock;
  readonly servers: readonly Server[];
  readonly hosts: readonly Host[];
  readonly publish: EmbeddedHost['publish'];
  readonly onReboot: (serverId: string, isDown: boolean) => void;
}

export function startRunCommands({
  clock,
  servers,
  hosts,
  publish,
  onReboot,
}: RunCommandsOptions): PlacedPorts {
  const documents = assembleDocuments(join(import.meta.dirname, '../../ssm-documents'));
  const open = (place: Place): RunCommand => {
    const service = new RunCommand({ clock, ...place, emit: publish });
    for (const { name, content } of documents) {
      service.registerDocument(`${documentPrefix}${name}`, JSON.stringify(content));
    }
    return service;
  };
  const hostOf = new Map(hosts.map((host) => [host.id, host]));
  const services = new Map<string, RunCommand>();
  for (const { id, place } of servers) {
    const service = services.get(placeKey(place)) ?? open(place);
    services.set(placeKey(place), service);
    const host = hostOf.get(id);
    if (!host) throw new Error(`server ${id} has no host`);
    const observed = observedHost(host, (isDown) => onReboot(id, isDown));
    service.registerInstance(
      id,
      createHostAgent(observed, { clock, region: place.region, rebootDelay }),
      host.name,
    );
  }
  const ports = [...services].map(
    ([key, service]) => [key, { commands: createCommands(service), fleet: createFleet(service) }] as const,
  );
  return placedPorts(new Map(ports));
}
