import { describe, expect, test } from 'vitest';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { silentWork, workDone } from '../../../core/use-cases/daily-work.ts';
import { reconcilePlan } from '../../../core/use-cases/reconcile-plan.ts';
import { plannedFleet, storedServer } from '../../support/planned-fleet.ts';

const deployed = '2026-11-21T09:00:00.000Z';
const names = async (ports: Parameters<typeof silentWork>[0], now: string) =>
  (await silentWork(ports, now)).map(({ name }) => name);

describe('the work of each day', () => {
  test('has its day after a deployment, and is silent after that', async () => {
    const ports = { records: createMemoryRecords() };
    expect(await silentWork(ports, deployed)).toEqual([]);
    expect(await names(ports, '2026-11-22T11:55:00.000Z')).toEqual([]);
    expect(await silentWork(ports, '2026-11-22T12:05:00.000Z')).toEqual([
      { name: 'plan-schedules', since: deployed },
      { name: 'check-firings', since: deployed },
    ]);
  });

  test('is heard of for 27 hours, each for itself', async () => {
    const ports = { records: createMemoryRecords() };
    await workDone(ports, 'plan-schedules', '2026-11-22T04:10:00.000Z');
    await workDone(ports, 'check-firings', '2026-11-21T16:10:00.000Z');
    expect(await names(ports, '2026-11-22T19:05:00.000Z')).toEqual([]);
    expect(await names(ports, '2026-11-22T19:15:00.000Z')).toEqual(['check-firings']);
    await workDone(ports, 'check-firings', '2026-11-22T20:00:00.000Z');
    expect(await names(ports, '2026-11-22T20:05:00.000Z')).toEqual([]);
    expect(await names(ports, '2026-11-23T07:15:00.000Z')).toEqual(['plan-schedules']);
  });

  test('is planning and checking, when they came to their end', async () => {
    const fleet = await plannedFleet([storedServer(1)]);
    const silent = () => names(fleet.ports, plusSeconds(fleet.now(), 1));
    await silentWork(fleet.ports, '2026-11-20T00:00:00.000Z');
    expect(await silent()).toEqual(['plan-schedules', 'check-firings']);
    await fleet.check();
    expect(await silent()).toEqual(['plan-schedules']);
    const gone = { list: () => Promise.reject(new Error('throttled')) };
    const broken = { ...fleet.ports, schedules: { ...fleet.ports.schedules, ...gone } };
    await expect(reconcilePlan(broken, fleet.settings, {}, fleet.now())).rejects.toThrow('throttled');
    expect(await silent()).toEqual(['plan-schedules']);
    await fleet.plan();
    expect(await silent()).toEqual([]);
  });

  test('is not made older by one that ends late', async () => {
    const ports = { records: createMemoryRecords() };
    await workDone(ports, 'plan-schedules', '2026-11-22T04:10:00.000Z');
    await workDone(ports, 'plan-schedules', '2026-11-21T04:10:00.000Z');
    expect(await names(ports, '2026-11-23T04:00:00.000Z')).not.toContain('plan-schedules');
  });
});
