/** Runs one campaign on the embedded host, from the first server up to the report. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { instantOf } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import type { Backups } from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import { type CreateCampaignInput, createCampaign } from '../../core/use-cases/create-campaign.ts';
import { findBackups } from '../../core/use-cases/find-backups.ts';
import { tendBackups } from '../../core/use-cases/tend-backups.ts';
import { testRestores } from '../../core/use-cases/test-restores.ts';
import { planWaves } from '../../core/waves.ts';
import { createDynamoDbRecords } from '../../lambdas/aws/dynamodb-records.ts';
import { createEndpoints } from './aws/endpoints.ts';
import { createClock, type LocalClock } from './clock.ts';
import { countServerRequest, countTransitions, createCostMeter } from './cost-meter.ts';
import { approveWhenAsked, demoCampaign } from './demo-campaign.ts';
import { createDiskBackups } from './disk-backups.ts';
import { createDiskObjects } from './disk-objects.ts';
import { startEmbeddedDynamoDb } from './embedded-dynamodb.ts';
import { createEmbeddedHost, type EmbeddedHost } from './embedded-host.ts';
import { createFolderNotices } from './folder-notices.ts';
import { demoService } from './hosts/demo-fleet.ts';
import { startLocalFleet } from './local-fleet.ts';
import { observedRecords, type Watcher } from './observed-records.ts';
import { type HostsUsed, type KeptBackups, loadReport, type ReportData } from './report/report-data.ts';
import { startRunCommands } from './run-commands.ts';
import { stopwatch, systemNow } from './system-clock.ts';

export interface CampaignRun {
  readonly used: HostsUsed;
  readonly servers: readonly Server[];
  readonly failCanary: boolean;
  /** Whose service its update breaks, so that the way back is seen. */
  readonly rehearsed?: Server | undefined;
  /** State, objects, notices and the report go here. */
  readonly folder: string;
  readonly watcher: Watcher & { note(text: string): void; reboot(serverId: string, isDown: boolean): void };
  /** Aborts when the person wants to end the run. */
  readonly interrupted: AbortSignal;
  /** Told the clock of the run as soon as there is one. */
  readonly onClock?: (now: () => number) => void;
}

export async function runCampaign(run: CampaignRun): Promise<ReportData> {
  const { folder, servers, watcher, used } = run;
  const started = stopwatch();
  await mkdir(folder, { recursive: true });
  const closing: (() => Promise<unknown>)[] = [];
  // Last opened, first closed; whatever fails on the way down keeps nothing else from closing.
  const closeAll = async () => {
    for (const close of closing.splice(0).reverse()) {
      await close().catch((error: unknown) => watcher.note(`while closing: ${String(error)}`));
    }
  };
  try {
    const clock = createClock(systemNow(), stopwatch);
    run.onClock?.(clock.now);
    const meter = createCostMeter();
    const { place } = servers[0] as Server;
    const objects = createDiskObjects({
      folder: join(folder, 'objects'),
      bucket: 'quarterdeck-campaigns',
      region: place.region,
    });
    const backups = createDiskObjects({
      folder: join(folder, 'backups'),
      bucket: 'quarterdeck-backups',
      region: place.region,
    });
    const database = await startEmbeddedDynamoDb(join(folder, 'dynamodb'));
    closing.push(() => database.close());
    const records = createDynamoDbRecords({
      table: database.table,
      calls: database.calls,
      wait: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
    });
    const endpoints = createEndpoints({
      objects,
      backups,
      // Servers sign with their own clocks, which know nothing of skipped hours.
      clock: { now: systemNow },
      onRequest: (request) => countServerRequest(meter, request),
    });
    const failing = run.failCanary ? canaryOf(servers) : undefined;
    const fleet = await startLocalFleet({
      used,
      servers,
      endpoints,
      failing,
      rehearsed: run.rehearsed,
      progress: watcher.note,
    });
    closing.push(() => fleet.close());
    const serversUp = stopwatch();

    const runCommands = startRunCommands({
      clock,
      servers,
      hosts: fleet.hosts,
      publish: (event) => host.publish(event),
      onReboot: watcher.reboot,
    });
    const host = createEmbeddedHost({
      clock,
      random: Math.random,
      records: observedRecords(records, watcher),
      objects,
      backups,
      ...runCommands,
      notices: createFolderNotices({ folder: join(folder, 'notices'), clock }),
      meter,
      stopwatch,
      onError: (error) => watcher.note(String(error)),
    });
    closing.push(() => host.close());
    // Packages of the demonstration bring the service; where systemd runs, it is asked whether that does.
    const services = used.kind === 'sandbox' && used.how === 'booted' ? [demoService] : [];
    const hasSystemd = used.how !== 'rootless';
    const campaign = demoCampaign(servers, hasSystemd, services, instantOf(clock.now()));
    await clock.busy(() => createCampaign(host.ports, campaign, instantOf(clock.now())));
    approveWhenAsked(clock, host.ports, campaign.campaignId, (error) => watcher.note(String(error)));
    await untilInterrupted(run.interrupted, host.finish(campaign.campaignId));
    countTransitions(meter, host.engine.transitions());
    const ended = stopwatch();
    const gathered = await loadReport(objects, campaign.campaignId);
    const kept = await lookAfterBackups(host.ports, createDiskBackups(backups), campaign, clock);
    return {
      ...gathered,
      backups: kept,
      rehearsed: run.rehearsed?.id,
      cost: meter.reading(),
      hosts: used,
      timings: {
        servers: seconds(started, serversUp),
        campaign: seconds(serversUp, ended),
        report: seconds(ended, stopwatch()),
      },
    };
  } finally {
    await closeAll();
  }
}

/** As the stack does every hour and every week: reads what servers put there, and restores one of it. */
async function lookAfterBackups(
  ports: EmbeddedHost['ports'],
  backups: Backups,
  { campaignId }: Pick<CreateCampaignInput, 'campaignId'>,
  clock: LocalClock,
): Promise<KeptBackups> {
  const now = instantOf(clock.now());
  await tendBackups({ ...ports, backups }, now);
  const found = await findBackups(ports, { campaignId });
  const restore =
    found.backups.length === 0 ? undefined : await testRestores({ ...ports, backups }, { count: 1 }, now);
  return { stored: found.backups, restore };
}

/** The first wave's first server, by the rule that the campaign itself will use. */
export function canaryOf(servers: readonly Server[]): Server | undefined {
  return planWaves(servers, { canary: 1, percentages: [100], soakSeconds: 0 })[0]?.[0];
}

export class Interrupted extends Error {
  constructor() {
    super('interrupted: the campaign was left where it was');
    this.name = 'Interrupted';
  }
}

async function untilInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let listener = () => {};
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(new Interrupted());
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', listener);
  }
}

function seconds(from: number, to: number): number {
  return Math.round((to - from) / 100) / 10;
}

/**
 * Whether every server ended as one would wish.
 *
 * @param rehearsed id of the server that had to go back
 */
export function allIsWell(
  jobs: readonly { readonly state: Job['state']; readonly server: Pick<Server, 'id'> }[],
  rehearsed?: string,
): boolean {
  return jobs.every(({ state, server }) =>
    server.id === rehearsed ? state === 'rolled-back' : state === 'succeeded' || state === 'nothing-to-do',
  );
}
