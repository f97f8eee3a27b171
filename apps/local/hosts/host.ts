/** What the embedded host knows of a server it can run commands on, whatever that server is made of. */
import type { Readable } from 'node:stream';

export interface HostCommand {
  /** Program and arguments; nothing is ever handed to a shell to be parsed. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment beside PATH, HOME and LC_ALL=C, which every host sets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface HostExit {
  /** Exit code, or null when a signal or the death of the host ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface HostProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles once the process has ended and its output was read; never rejects. */
  readonly done: Promise<HostExit>;
  /** SIGKILL to the process and all it started, as the agent does on a time-out. */
  kill(): void;
}

export type HostKind = 'booted' | 'rootless' | 'shim';

/** One server of the embedded fleet. */
export interface Host {
  /** The instance id, `i-` and 17 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly kind: HostKind;
  /** Environment that commands need to reach the embedded AWS endpoints (AWS_ENDPOINT_URL_S3 and the like). */
  readonly env: Readonly<Record<string, string>>;
  /** False while it boots, and after a power cut. */
  online(): boolean;
  /** Starts a command as root in the host, cwd `/`. */
  run(command: HostCommand): HostProcess;
  /** Writes a file in the host, making its folders. */
  writeFile(path: string, content: string, mode: number): Promise<void>;
  /** Reads a file of the host; undefined when it is not there. */
  readFile(path: string): Promise<string | undefined>;
  /** Restarts the host and resolves when it takes commands again, with a new boot id and an empty /run. */
  reboot(): Promise<void>;
  /** Kills every process of the host at once, as pulling the plug would; `reboot` brings it back. */
  powerCut(): Promise<void>;
  /** Ends the host for good; what it was made of goes when its fleet closes. Safe to call twice. */
  close(): Promise<void>;
}
