import { afterEach, expect, onTestFailed, test } from 'vitest';
import { readReport } from '../support/campaign-world.ts';
import {
  type AwsWorld,
  type AwsWorldOptions,
  campaignId,
  openAwsWorld,
  troubleOf,
} from './campaign-world.ts';

let world: AwsWorld;
afterEach(() => world?.close());

async function run(options: AwsWorldOptions, approved = true) {
  world = await openAwsWorld(options);
  onTestFailed(() => console.error(troubleOf(world)));
  expect(await world.create()).toMatchObject({ servers: options.servers, leftOut: [] });
  world.decide(approved);
  return world.finish();
}

test('a campaign patches every server, and tells people of it', async () => {
  const end = await run({ servers: 7 });
  expect(end.errors).toEqual([]);
  expect(end).toMatchObject({ status: 'SUCCEEDED', campaign: { state: 'completed' } });
  expect(new Set(Object.values(end.states))).toEqual(new Set(['succeeded']));
  expect([...world.fleet.patched.values()]).toEqual(Array(7).fill(1));
  const { report, jobs } = await readReport(world.objects, campaignId);
  expect(report).toMatchObject({ state: 'completed' });
  expect(jobs).toHaveLength(7);
  expect((await world.people.received()).map(({ attributes }) => attributes.kind)).toEqual([
    'campaign-opened',
    'approval-asked',
    'campaign-closed',
  ]);
  expect(await world.queue.dead()).toBe(0);
});
