import { describe, expect, it } from 'vitest';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import type { Batch } from '../../core/batch.ts';
import { batches, campaigns, create, listAll } from '../../core/entities.ts';
import { batchDigest, planHash } from '../../core/plan.ts';
import { policySchema } from '../../core/policy.ts';
import type { Objects, Ports } from '../../core/ports.ts';
import { judgeWave } from '../../core/use-cases/judge-wave.ts';
import { sealCampaign } from '../../core/use-cases/seal-campaign.ts';
import { planBatches } from '../../core/waves.ts';
import { campaignId, serversOf, start, windowStart } from '../support/campaign-world.ts';
import { samplePlan } from '../support/simulated-fleet.ts';

const fleetSize = 100_000;
/** What Step Functions lets a state hold. */
const payloadLimit = 256 * 1024;

async function preparedCampaign() {
  const records = createMemoryRecords();
  const objects: Objects = createMemoryObjects('bucket-of-campaigns', 'eu-central-1');
  await create(records, campaigns, {
    schema: 1,
    id: campaignId,
    policy: policySchema.parse({ schema: 1, name: 'production' }),
    quarter: '2027-Q1',
    window: { start: windowStart, end: '2026-11-21T09:00:00.000Z', zone: 'Europe/Berlin' },
    requestedBy: 'requester@example.com',
    createdAt: start,
    state: 'preparing',
    reason: null,
    serversKey: 'none',
    serverCount: fleetSize,
    documents: {},
    seal: null,
    approval: null,
    stop: null,
    endedAt: null,
  });
  const hash = planHash('i-00000000000000001', samplePlan);
  for (const [index, plan] of planBatches(serversOf(fleetSize)).entries()) {
    const plans = plan.serverIds.map((serverId) => ({ serverId, hash }));
    const batch: Batch = {
      schema: 1,
      campaignId,
      id: `p-${String(index + 1).padStart(4, '0')}`,
      wave: null,
      place: plan.place,
      family: plan.family,
      serverIds: [...plan.serverIds],
      runs: {},
      sweptAt: null,
      sealed: { digest: batchDigest(plans), plans },
    };
    await create(records, batches, batch);
  }
  // Sealing and judging touch nothing else; whatever they should reach for fails the test.
  return { records, objects } as Ports;
}

describe('a campaign over 100,000 servers', () => {
  it('seals and is judged without a payload that a state machine could not hold', async () => {
    const ports = await preparedCampaign();
    const sealed = await sealCampaign(ports, { campaignId }, start);
    if (sealed.verdict !== 'go') throw new Error(`not sealed: ${sealed.reason.detail}`);
    expect(JSON.stringify(sealed).length).toBeLessThan(payloadLimit);
    expect(sealed.waves).toBe(3);

    const patched = new Set<string>();
    for (let wave = 0; wave < sealed.waves; wave++) {
      const judged = await judgeWave(ports, { campaignId, wave, at: 'patched' }, windowStart);
      // Nothing has run, so an honest judge stops here; what matters is that it can say so.
      expect(judged.reason?.code).toBe('wave-incomplete');
      expect(JSON.stringify(judged).length).toBeLessThan(payloadLimit);
      const laidOut = await listAll(ports.records, batches, `campaign#${campaignId}`, `batch#w${wave}-`);
      expect(laidOut).toHaveLength(judged.patch.batches);
      for (const { serverIds } of laidOut) for (const id of serverIds) patched.add(id);
    }
    expect(patched.size).toBe(fleetSize);
  });
});
