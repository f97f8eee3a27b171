/** Owns what people and the night do to inventory and schedules while calls are recorded: each function does all of its work. */
import type { AwsWorld } from '../campaign-world.ts';

/** The inventory is another's afterwards: whoever plans after it saves one of its own. */
export async function keptByPeople({ invoke, servers }: AwsWorld): Promise<void> {
  const [server] = servers;
  if (server === undefined) throw new Error('there is no server to list');
  const { account, region } = server.place;
  const by = 'ann@example.com';
  const list = (zone: string) =>
    `Server Name,Environment,Server Timezone,Instance Id,Account,Region\nlisted,production,${zone},${server.id},${account},${region}\n`;
  await invoke('import-servers', { csv: list('Europe/Berlin'), by });
  await invoke('import-servers', { csv: list('Europe/Lisbon'), by, force: true });
  await invoke('sync-servers', {});
  const rule = { kind: 'cron', expression: '0 2 * * sat' };
  await invoke('set-schedule', { server: 'listed', rule, by, force: true });
  await invoke('set-schedule', { server: 'listed', rule: null, by, force: true });
  await invoke('show-calendar', { view: 'schedules' });
  // Nobody's: the object is not there.
  await invoke('show-calendar', { view: 'feed', audience: { kind: 'owner', owner: 'nobody' } });
}
