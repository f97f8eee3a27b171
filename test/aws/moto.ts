/** Owns a moto server: other people's AWS, in a process of its own on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { pythonTool } from './python.ts';

/**
 * The account of whoever assumed no role. Another account can be set, and is then everybody's, that of sessions of
 * roles too: campaigns over several accounts have this one for their home.
 */
export const motosOwnAccount = '123456789012';

/** What the clients of the SDK take; moto checks no signature. */
interface MotoClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Moto {
  /** `http://127.0.0.1:<port>`, for all services. */
  readonly endpoint: string;
  readonly client: MotoClientConfig;
  /** Forgets everything that was made in it, in all services. */
  reset(): Promise<void>;
  /** What it wrote so far: requests, and the traces of what it failed at. */
  log(): string;
  close(): Promise<void>;
}

export interface MotoOptions {
  /** Whose account it is, whoever calls; `motosOwnAccount` leaves sessions of roles in theirs. */
  readonly account?: string;
  /** Of the clients; the server has all Regions. */
  readonly region?: string;
}

export async function startMoto(options: MotoOptions = {}): Promise<Moto> {
  const { account = '111111111111', region = 'eu-central-1' } = options;
  // Its own choice, 0, would be safer, but its state machines call it by the port that it was told.
  const port = String(await freePort());
  const child = spawn(pythonTool('moto_server'), ['-H', '127.0.0.1', '-p', port], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(account !== motosOwnAccount && { MOTO_ACCOUNT_ID: account }) },
  });
  const lines: string[] = [];
  // A test that is ended takes its server with it.
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  const endpoint = await listening(child, lines);
  return {
    endpoint,
    client: { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } },
    async reset() {
      const answer = await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' });
      if (!answer.ok) throw new Error(`moto answered ${answer.status} to its reset:\n${lines.join('\n')}`);
    },
    log: () => lines.join('\n'),
    async close() {
      process.off('exit', killed);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function listening(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}:\n${lines.join('\n')}`)));
    if (child.stderr === null) throw new Error('moto has no standard error to be read');
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
      if (found?.[1]) resolve(found[1]);
    });
  });
}
