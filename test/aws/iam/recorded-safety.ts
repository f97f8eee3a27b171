/** Owns what people and the hours do to backups and reboots while calls are recorded: each function does all of its work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { instantOf } from '../../../core/instant.ts';
import type { AwsWorld } from '../campaign-world.ts';

/** @param campaignId of one whose servers made backups */
export async function keptSafe({ invoke, servers }: AwsWorld, campaignId: string): Promise<void> {
  await invoke('tend-backups', {});
  const shown = await invoke('show-backups', { campaignId });
  if (JSON.stringify(shown).includes('"backups":[]')) throw new Error(`${campaignId} made no backups`);
  await invoke('verify-backups', { campaignId });
  await invoke('test-restores', { count: 1 });
  const by = 'ann@example.com';
  const last = servers.at(-1);
  for (const server of servers.slice(0, -1)) {
    await invoke('request-reboot', { server: server.id, reason: 'a new kernel', by, minutes: 120 });
  }
  const [first] = servers;
  await invoke('show-reboot', { serverId: first?.id });
  // Sent once, and followed to its end.
  await invoke('run-reboots', {});
  await sleep(50);
  await invoke('run-reboots', {});
  const start = instantOf(Date.now() + 3_600_000);
  await invoke('request-reboot', { server: last?.id, reason: 'later', by, start, minutes: 120 });
  await invoke('cancel-reboot', { serverId: last?.id, by, reason: 'not tonight' });
}
