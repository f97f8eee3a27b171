/** The embedded host's command: runs one campaign, shows it, and ends with an exit code that tells how it went. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { Server } from '../../core/server.ts';
import { type Arguments, parseCommandLine, UsageError } from './arguments.ts';
import { demoServers } from './demo-campaign.ts';
import { demoFamilies } from './hosts/families/demo-families.ts';
import { chooseHosts } from './local-fleet.ts';
import { createProgress } from './progress/progress.ts';
import { jsonOutput } from './report/json-output.ts';
import type { HostsUsed, ReportData } from './report/report-data.ts';
import { resultTable } from './report/result-table.ts';
import { writeReport } from './report/write-report.ts';
import { allIsWell, canaryOf, Interrupted, runCampaign } from './run-campaign.ts';
import { stopwatch, systemDate } from './system-clock.ts';
import { columnsOf } from './terminal-text.ts';

const exitCodes = { asItShouldBe: 0, notAllWell: 1, usage: 2, stopped: 3, interrupted: 130 } as const;

const defaultServers = 4;

try {
  const line = parseCommandLine(process.argv.slice(2), (path) => readFileSync(path, 'utf8'));
  if (line.kind === 'help') process.stdout.write(line.text);
  else process.exitCode = await main(line.arguments);
} catch (error) {
  process.exitCode = explain(error);
}

async function main(asked: Arguments): Promise<number> {
  const folder = resolve(
    asked.out ?? join('.quarterdeck', systemDate().toISOString().replaceAll(/[:.]/g, '-')),
  );
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(
      `can not write to ${folder} (${(error as Error).message}): name a folder with --out`,
    );
  }
  const used = await chooseHosts(asked.hosts);
  const servers =
    asked.servers === undefined || 'count' in asked.servers
      ? demoServers(
          asked.servers?.count ?? defaultServers,
          used.kind === 'sandbox' ? demoFamilies : undefined,
        )
      : asked.servers.list;
  const isDemonstration = asked.servers === undefined || 'count' in asked.servers;
  // With --json nothing but the object goes to stdout.
  const screen = asked.json ? process.stderr : process.stdout;
  const interruption = new AbortController();
  // The first Ctrl-C takes everything down in order; a second one, from an impatient person, ends at once.
  const onSignal = () => interruption.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  process.once('SIGHUP', onSignal);
  const progress = createProgress({ screen, servers, env: process.env, stopwatch });
  progress.note(`hosts: ${used.kind}${used.how === used.kind ? '' : `, ${used.how}`} (${used.reason})`);
  let data: ReportData;
  try {
    data = await runCampaign({
      used,
      servers,
      failCanary: asked.fail === 'canary',
      rehearsed: isDemonstration && asked.fail === undefined ? rehearsedOf(used, servers) : undefined,
      folder,
      watcher: progress,
      interrupted: interruption.signal,
      onClock: (now) => progress.useClock(now),
    });
  } finally {
    progress.finish();
  }
  const page = await writeReport(folder, data);
  if (asked.json) process.stdout.write(`${JSON.stringify(jsonOutput(data))}\n`);
  else {
    const colour = progress.colour;
    screen.write(
      resultTable(data, { columns: columnsOf(process.stdout), colour, page: relative('.', page) }),
    );
  }
  return exitCodeOf(data);
}

/** One that is no canary, of hosts on which services run; with fewer servers its failure would end the campaign. */
function rehearsedOf({ kind, how }: HostsUsed, servers: readonly Server[]): Server | undefined {
  const canary = canaryOf(servers);
  if (kind !== 'sandbox' || how !== 'booted' || servers.length < defaultServers) return undefined;
  return servers.findLast(({ id }) => id !== canary?.id);
}

function exitCodeOf({ report, jobs, rehearsed }: ReportData): number {
  if (['completed', 'nothing-to-do', 'scanned'].includes(report.state)) {
    return allIsWell(jobs, rehearsed) ? exitCodes.asItShouldBe : exitCodes.notAllWell;
  }
  return exitCodes.stopped;
}

function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return exitCodes.usage;
  }
  if (error instanceof Interrupted) {
    process.stderr.write(`${error.message}\n`);
    return exitCodes.interrupted;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodes.notAllWell;
}
