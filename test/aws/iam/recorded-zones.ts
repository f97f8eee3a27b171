/** Owns how servers are asked for their time zones while calls are recorded: in every place, and by both functions. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { instantOf } from '../../../core/instant.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { storedServer } from '../../support/planned-fleet.ts';
import type { AwsWorld } from '../campaign-world.ts';
import { faultOf } from '../faults/fault-kinds.ts';

/** The inventory is empty afterwards. */
export async function askedForZones(world: AwsWorld): Promise<void> {
  const { invoke, servers, proxy } = world;
  const listed = servers.map(({ id, name, zone, place }, index) =>
    storedServer(index + 1, { name, zone, instanceId: id, ...place }),
  );
  await keep(world, listed);
  // The answer to the first is lost, so that it is looked for.
  let isLost = false;
  const undo = proxy.spoil(({ operation, service }) => {
    if (operation !== 'SendCommand' || isLost) return undefined;
    isLost = true;
    return faultOf('lost', service);
  });
  const asked = await invoke('ask-zones', { by: 'ann@example.com' });
  undo();
  expect(asked).toMatchObject({ answer: { servers: servers.length, state: 'sent' } });
  for (let looks = 0; ; looks++) {
    const { answer } = (await invoke('show-zones', {})) as { answer: { complete: boolean } };
    if (answer.complete) {
      expect(answer).toMatchObject({ counts: { same: servers.length }, unread: [] });
      break;
    }
    if (looks === 50) throw new Error(`servers do not say their time zones: ${JSON.stringify(answer)}`);
    await sleep(20);
  }
  await keep(world, []);
}

async function keep({ records, objects, clock }: AwsWorld, servers: Parameters<typeof saveInventory>[1]) {
  const stores = { records, objects };
  await clock.busy(async () => {
    const { revision } = await loadInventory(stores);
    const now = instantOf(clock.now());
    await saveInventory(stores, servers, { by: 'ann', now, expected: revision });
  });
}
