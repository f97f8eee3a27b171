/** Makes one server's row of the report out of its job and its result objects. */
import type { Job } from '../job.ts';
import { sha256Of } from '../plan.ts';
import type { Objects } from '../ports.ts';
import type { PackageChange, ReportJob } from '../report.ts';
import { readPlan, readResult, unpackResult } from './orders.ts';

export async function reportJob(objects: Objects, job: Job): Promise<ReportJob> {
  const { campaignId: _campaignId, ...row } = job;
  return { ...row, packages: await packageChanges(objects, job) };
}

/** The plan joined with what the server found before and after; what can not be read stays null, not guessed. */
async function packageChanges(objects: Objects, job: Job): Promise<PackageChange[]> {
  const plan = await readPlan(objects, job);
  if (plan?.kind !== 'plan') return [];
  const after = await versions(objects, job);
  return plan.entries.map((entry) => ({
    name: entry.name,
    architecture: entry.architecture,
    from: entry.from,
    to: after?.get(`${entry.name}\t${entry.architecture}`) ?? null,
    planned: entry.to,
    security: entry.security,
  }));
}

/** Versions that the server found after the last transaction, by name and architecture. */
async function versions(objects: Objects, job: Job): Promise<Map<string, string> | undefined> {
  const last = job.phases.rollback ?? job.phases.patch;
  const object = last?.object;
  if (!object || last.unproven) return undefined;
  const stored = await readResult(objects, object.key);
  // Not what was proven any more: the server has written it again since.
  if (stored.kind === 'unreadable' || sha256Of(stored.content) !== object.sha256) return undefined;
  const text = sectionOf(stored.content, 'after');
  if (text === undefined) return undefined;
  return new Map(
    text
      .split('\n')
      .map((line) => line.split('\t'))
      .flatMap(([name, architecture, version]) =>
        name && architecture && version && version !== '-'
          ? [[`${name}\t${architecture}`, version] as const]
          : [],
      ),
  );
}

/** What a server wrote may be anything, and must not keep a campaign from being closed. */
function sectionOf(content: Uint8Array, name: string): string | undefined {
  try {
    return unpackResult(content).get(name);
  } catch {
    return undefined;
  }
}
