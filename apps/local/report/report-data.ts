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
import { type Result, readSections } from '../../../core/result.ts';
import type { StoredBackup } from '../../../core/stored-backup.ts';
import { readResult, unpackResult } from '../../../core/use-cases/orders.ts';
import type { RestoreReport } from '../../../core/use-cases/test-restores.ts';

/** What the servers of the run were made of. */
export interface HostsUsed {
  readonly kind: 'sandbox' | 'debian' | 'shim';
  readonly how: 'booted' | 'rootless' | 'shim';
  /** Why these, and not better ones. */
  readonly reason: string;
}

/** What the result objects of a server say beside its packages; empty where nothing could be read. */
export interface ServerFindings {
  /** By the last look: that of the verification, or of the rollback after it. */
  readonly validation: NonNullable<Result['validation']>;
  /** What the rollback did. */
  readonly steps: NonNullable<Result['steps']>;
  /** What the patch changed beside its packages' own files. */
  readonly configuration: NonNullable<Result['configuration']>;
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
  /** By server id. */
  readonly findings: ReadonlyMap<string, ServerFindings>;
  readonly cost: RunCost;
  /** Id of the server whose service the run broke, so that the way back is seen. */
  readonly rehearsed?: string | undefined;
  readonly backups: KeptBackups;
  readonly hosts: HostsUsed;
  /** Real seconds that parts of the run took on this machine. */
  readonly timings: Readonly<Record<string, number>>;
}

/** What became of the backups that servers made before their patch. */
export interface KeptBackups {
  readonly stored: readonly StoredBackup[];
  /** Undefined where there was none to restore. */
  readonly restore?: RestoreReport | undefined;
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
): Promise<Pick<ReportData, 'report' | 'jobs' | 'logs' | 'findings'>> {
  const report = reportSchema.parse(await readJson(objects, reportKey(campaignId)));
  const jobs: ReportJob[] = [];
  for (const part of report.parts) jobs.push(...reportPartSchema.parse(await readJson(objects, part)).jobs);
  const logs = new Map<string, readonly PhaseLog[]>();
  const findings = new Map<string, ServerFindings>();
  for (const job of jobs) {
    const results = await resultsOf(objects, job);
    logs.set(job.server.id, results.flatMap(logOf));
    findings.set(job.server.id, findingsIn(results));
  }
  return { report, jobs, logs, findings };
}

async function readJson(objects: Objects, key: string): Promise<unknown> {
  const content = await objects.get(key);
  if (content === undefined) throw new Error(`object ${key} is not in the bucket: is the campaign closed?`);
  return JSON.parse(Buffer.from(content).toString('utf8'));
}

interface PhaseSections {
  readonly phase: Phase;
  /** What is wrong with the object, where it can not be read. */
  readonly problem?: string;
  readonly sections: ReadonlyMap<string, string>;
}

async function resultsOf(objects: Objects, job: ReportJob): Promise<PhaseSections[]> {
  const results: PhaseSections[] = [];
  const none = new Map<string, string>();
  for (const phase of phaseSchema.options) {
    const object = job.phases[phase]?.object;
    if (!object) continue;
    const stored = await readResult(objects, object.key);
    if (stored.kind === 'unreadable' || sha256Of(stored.content) !== object.sha256) {
      // A server may write its object again at any time; what is shown is what was proven when it answered.
      const problem = `the result object ${object.key} is not what it was when the server answered\n`;
      results.push({ phase, problem, sections: none });
      continue;
    }
    try {
      results.push({ phase, sections: unpackResult(stored.content) });
    } catch (error) {
      // What a server wrote may be anything; the report says so and goes on.
      const problem = `the result object ${object.key} can not be read: ${String(error)}\n`;
      results.push({ phase, problem, sections: none });
    }
  }
  return results;
}

function logOf({ phase, problem, sections }: PhaseSections): PhaseLog[] {
  const text = problem ?? sections.get('log');
  return text ? [{ phase, text }] : [];
}

function findingsIn(results: readonly PhaseSections[]): ServerFindings {
  const section = <Name extends keyof ServerFindings>(phases: readonly Phase[], name: Name) => {
    const found = results.findLast(({ phase, sections }) => phases.includes(phase) && sections.has(name));
    return (found && readSection(name, found.sections)) ?? [];
  };
  return {
    validation: section(['verify', 'rollback'], 'validation'),
    steps: section(['rollback'], 'steps'),
    configuration: section(['patch'], 'configuration'),
  } as ServerFindings;
}

function readSection(
  name: keyof ServerFindings,
  sections: ReadonlyMap<string, string>,
): Result[keyof ServerFindings] {
  try {
    return readSections(new Map([[name, sections.get(name) ?? '']]))[name];
  } catch {
    // As above; the log tells the same in words.
    return undefined;
  }
}
