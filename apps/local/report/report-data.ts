/** Owns what a report is made of, and gathers it from the campaign's bucket. */
import type { ListCost } from '../../../core/list-price.ts';
import { type Phase, phaseSchema } from '../../../core/phase.ts';
import { sha256Of } from '../../../core/plan.ts';
import type { Objects } from '../../../core/ports.ts';
import {
  type Report,
  type ReportJob,
  reportKey,
  reportPartSchema,
  reportSchema,
} from '../../../core/report.ts';
import { readResult, unpackResult } from '../../../core/use-cases/orders.ts';

/** What the servers of the run were made of. */
export interface HostsUsed {
  readonly kind: 'sandbox' | 'debian' | 'shim';
  readonly how: 'booted' | 'rootless' | 'shim';
  /** Why these, and not better ones. */
  readonly reason: string;
}

export interface PhaseLog {
  readonly phase: Phase;
  readonly text: string;
}

export interface ReportData {
  readonly report: Report;
  readonly jobs: readonly ReportJob[];
  /** By server id. */
  readonly logs: ReadonlyMap<string, readonly PhaseLog[]>;
  readonly cost: RunCost;
  readonly hosts: HostsUsed;
  /** Real seconds that parts of the run took on this machine. */
  readonly timings: Readonly<Record<string, number>>;
}

/** What a cost meter reads at the end. */
interface RunCost {
  /** Calls of AWS by name, `ssm:SendCommand`. */
  readonly calls: Readonly<Record<string, number>>;
  readonly units: Readonly<{ 'state-transitions'?: number }>;
  readonly cost: ListCost;
}

/** @throws Error when the campaign has not been closed, or its report is not what it ought to be */
export async function loadReport(
  objects: Objects,
  campaignId: string,
): Promise<Pick<ReportData, 'report' | 'jobs' | 'logs'>> {
  const report = reportSchema.parse(await readJson(objects, reportKey(campaignId)));
  const jobs: ReportJob[] = [];
  for (const part of report.parts) jobs.push(...reportPartSchema.parse(await readJson(objects, part)).jobs);
  const logs = new Map<string, readonly PhaseLog[]>();
  for (const job of jobs) logs.set(job.server.id, await logsOf(objects, job));
  return { report, jobs, logs };
}

async function readJson(objects: Objects, key: string): Promise<unknown> {
  const content = await objects.get(key);
  if (content === undefined) throw new Error(`object ${key} is not in the bucket: is the campaign closed?`);
  return JSON.parse(Buffer.from(content).toString('utf8'));
}

async function logsOf(objects: Objects, job: ReportJob): Promise<PhaseLog[]> {
  const logs: PhaseLog[] = [];
  for (const phase of phaseSchema.options) {
    const object = job.phases[phase]?.object;
    if (!object) continue;
    const stored = await readResult(objects, object.key);
    if (stored.kind === 'unreadable' || sha256Of(stored.content) !== object.sha256) {
      // A server may write its object again at any time; what is shown is what was proven when it answered.
      logs.push({
        phase,
        text: `the result object ${object.key} is not what it was when the server answered\n`,
      });
      continue;
    }
    try {
      const text = unpackResult(stored.content).get('log');
      if (text) logs.push({ phase, text });
    } catch (error) {
      // What a server wrote may be anything; the report says so and goes on.
      logs.push({ phase, text: `the result object ${object.key} can not be read: ${String(error)}\n` });
    }
  }
  return logs;
}
