/** Owns what a person does to bring servers back by hand while calls are recorded. */
import { expect } from 'vitest';
import type { AwsWorld } from '../campaign-world.ts';

/** @param campaignId of one that has ended, with servers behind no fence */
export async function rolledBackByHand({ invoke }: AwsWorld, campaignId: string): Promise<void> {
  const by = 'ann@example.com';
  const asked = await invoke('roll-back', { campaignId, dryRun: true, by, reason: 'it is slow since then' });
  expect(asked).toMatchObject({ answer: { number: 1, dryRun: true } });
  expect(await invoke('show-rollback', { campaignId })).toMatchObject({ answer: { number: 1 } });
}
