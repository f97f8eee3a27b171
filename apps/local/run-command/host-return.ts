/** Owns the wait for a host that went down, which ends with the command: then nobody listens any more. */
import type { LocalClock } from '../clock.ts';
import type { Host } from '../hosts/host.ts';

/** How often it is looked whether a host came back. */
const pollSeconds = 5;

export function pause(clock: LocalClock, seconds: number): Promise<void> {
  return new Promise((resolve) => clock.at(clock.now() + seconds * 1000, resolve));
}

/** @returns false when the command expired before the host was back */
export async function isBack(host: Host, clock: LocalClock, expiresAt: number): Promise<boolean> {
  while (!host.online()) {
    if (clock.now() > expiresAt) return false;
    await pause(clock, pollSeconds);
  }
  return true;
}
