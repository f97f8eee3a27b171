/** Gives a fleet its own network: every host reaches this process at one address, and nothing else. */
import { spawn } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Server as ListeningSocket } from 'node:net';
import { join } from 'node:path';
import { runOnMachine } from './machine-command.ts';
import type { Vessel } from './vessel.ts';

/** Where EC2 has its instance metadata; the other services share the address. */
export const ENDPOINT_ADDRESS = '169.254.169.254';
export const PORTS = { metadata: 80, s3: 4566, repository: 8080 } as const;

type Service = keyof typeof PORTS;
/** What answers a host, by service. */
type HostListeners = Readonly<Record<Service, RequestListener>>;

export interface Network {
  /** Makes the network namespace of a host, and routes its requests. */
  attach(name: string, listeners: HostListeners): Promise<void>;
  close(): Promise<void>;
}

const CONNECT = `
set -eu
ip netns add "$1"
ip link add "host$2" type veth peer name eth0 netns "$1"
ip address add "$4" peer "$3/32" dev "host$2"
ip link set "host$2" up
nsenter "--net=/run/netns/$1" ip -batch - <<END
link set lo up
address add $3 peer $4/32 dev eth0
link set eth0 up
END
`;

/**
 * A child opens the sockets inside the vessel's network and hands them over, so that this process answers there
 * while it has no port open, and no relay running, on the machine.
 */
async function socketsInside(vessel: Vessel): Promise<Map<Service, ListeningSocket>> {
  const [program, ...args] = vessel.enterNetwork;
  const script = join(import.meta.dirname, 'open-sockets.mjs');
  const wanted = Object.entries(PORTS).map(([service, port]) => `${service}=${port}`);
  const child = spawn(program, [...args, process.execPath, script, ENDPOINT_ADDRESS, ...wanted], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env.PATH },
  });
  const sockets = new Map<Service, ListeningSocket>();
  child.on('message', (service, handle) => {
    sockets.set(service as Service, handle as ListeningSocket);
  });
  await new Promise((resolve) => child.on('close', resolve));
  if (sockets.size !== wanted.length)
    throw new Error(
      `only ${sockets.size} of ${wanted.length} endpoint sockets opened inside the fleet's network`,
    );
  return sockets;
}

export async function openNetwork(vessel: Vessel): Promise<Network> {
  const listenersOf = new Map<string, HostListeners>();
  const servers: Server[] = [];
  for (const [service, socket] of await socketsInside(vessel)) {
    const server = createServer((request, response) => {
      const listeners = listenersOf.get(request.socket.remoteAddress ?? '');
      if (listeners) listeners[service](request, response);
      else response.writeHead(403).end();
    });
    server.listen(socket);
    servers.push(server);
  }
  return {
    async attach(name, listeners) {
      const number = listenersOf.size + 1;
      const address = `169.254.${number >> 8}.${number & 255}`;
      listenersOf.set(address, listeners);
      const numbers = [name, String(number), address, ENDPOINT_ADDRESS];
      await runOnMachine([...vessel.enter, '/bin/sh', '-c', CONNECT, 'sh', ...numbers], {
        env: { PATH: '/usr/sbin:/usr/bin' },
      });
    },
    async close() {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}
