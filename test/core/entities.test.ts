import { describe, expect, test } from 'vitest';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { overdueAt } from '../../core/campaign.ts';
import {
  batches,
  campaigns,
  create,
  jobKey,
  jobs,
  load,
  MissingItemError,
  StoredItemError,
  update,
} from '../../core/entities.ts';
import { plusSeconds } from '../../core/instant.ts';
import type { Records } from '../../core/ports.ts';
import { approvedCampaign, campaignId, dayBefore, frankfurt, jobOf, serverId } from '../support/samples.ts';

const key = jobKey(campaignId, serverId(1));

describe('a change of a stored item', () => {
  test('is decided again when somebody else wrote between, and both changes stay', async () => {
    const records = createMemoryRecords();
    await create(records, jobs, jobOf());
    const { replace } = records;
    let races = 3;
    records.replace = async (record, expected) => {
      if (races-- > 0)
        await update({ ...records, replace }, jobs, key, (job) => ({ ...job, wave: (job.wave ?? 0) + 1 }));
      return replace(record, expected);
    };
    const changed = await update(records, jobs, key, (job) => ({
      ...job,
      reasons: [{ code: 'seen', detail: `${job.wave}` }],
    }));
    expect(changed).toMatchObject({ wave: 3, reasons: [{ detail: '3' }] });
    expect(await load(records, jobs, key)).toEqual(changed);
  });

  test('that is none writes nothing', async () => {
    const records = createMemoryRecords();
    await create(records, jobs, jobOf());
    expect(await update(records, jobs, key, () => undefined)).toEqual(jobOf());
    expect((await records.get(key))?.revision).toBe(1);
  });

  test('gives up when it loses every race', async () => {
    const records: Records = { ...createMemoryRecords(), replace: async () => false };
    await create(records, jobs, jobOf());
    await expect(update(records, jobs, key, (job) => ({ ...job }))).rejects.toThrow('changes too often');
  });

  test('of what is not there, or not what its schema says, fails by naming it', async () => {
    const records = createMemoryRecords();
    await expect(load(records, jobs, key)).rejects.toThrow(MissingItemError);
    await expect(update(records, jobs, key, (job) => job)).rejects.toThrow(
      `no stored item job#${campaignId}#${serverId(1)}/job`,
    );
    await records.create({ key, body: { ...jobOf(), schema: 2 } });
    await expect(load(records, jobs, key)).rejects.toThrow(StoredItemError);
    await expect(load(records, jobs, key)).rejects.toThrow(/is not what its schema says.*expected 1/s);
  });
});

describe('what the sweeper should look at again', () => {
  const run = {
    state: 'sent' as const,
    token: 'token',
    startedAt: dayBefore,
    leaseUntil: dayBefore,
    serverIds: [],
    offlineIds: [],
    order: null,
    commands: {},
    split: [],
    attempted: [],
    deadline: dayBefore,
    counts: null,
  };
  const batch = {
    schema: 1 as const,
    campaignId,
    id: 'w0-0001',
    wave: 0,
    place: frankfurt,
    family: 'debian' as const,
    serverIds: [serverId(1)],
    sweptAt: null,
    sealed: null,
  };

  test.each([
    ['nothing dispatched', {}, undefined],
    ['a run that waits', { patch: run }, '2026-11-20T22:05:00.000Z'],
    ['a run that has its answer', { patch: { ...run, state: 'answered' as const } }, undefined],
    [
      'one that has it and one that waits',
      {
        patch: { ...run, state: 'answered' as const },
        verify: { ...run, startedAt: '2026-11-20T23:00:00.000Z' },
      },
      '2026-11-20T23:05:00.000Z',
    ],
  ])('is a batch with %s', (_, runs, at) => {
    expect(batches.due?.({ ...batch, runs })?.at).toBe(at);
  });

  test('is a batch that was looked at, five minutes later', () => {
    const at = (sweptAt: string) => batches.due?.({ ...batch, runs: { patch: run }, sweptAt })?.at;
    expect(at('2026-11-20T23:00:00.000Z')).toBe('2026-11-20T23:05:00.000Z');
    expect(at('2026-11-20T21:00:00.000Z')).toBe('2026-11-20T22:05:00.000Z');
  });

  test('is a campaign that ought to have ended, and never one that has', () => {
    const campaign = approvedCampaign();
    expect(campaigns.due?.(campaign)?.at).toBe(overdueAt(campaign));
    expect(overdueAt(campaign) > campaign.window.end).toBe(true);
    expect(campaigns.due?.({ ...campaign, state: 'stopped', endedAt: dayBefore })).toBeUndefined();
  });

  test('is a campaign that ended, and whose closing was not', () => {
    const campaign = approvedCampaign({ state: 'stopped' });
    expect(campaigns.due?.(campaign)?.at).toBe(overdueAt(campaign));
  });

  test('is a campaign whose execution may never have been started', () => {
    const campaign = { ...approvedCampaign(), state: 'planned' as const };
    expect(campaigns.due?.(campaign)?.at).toBe(plusSeconds(campaign.createdAt, 300));
  });

  test('is a decision that has not been delivered', () => {
    const campaign = approvedCampaign();
    const { approval } = campaign;
    expect(campaigns.due?.({ ...campaign, approval: approval && { ...approval, answered: false } })?.at).toBe(
      '2026-11-20T22:05:00.000Z',
    );
  });
});
