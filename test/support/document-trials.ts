/** Owns what the tests of documents need beside a host: orders, parameters, and what came back. */
import { gunzipSync } from 'node:zlib';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type OrderTerms, orderText, type ServerOrder } from '../../core/order.ts';
import type { DocumentPhase } from '../../core/phase.ts';
import { type PlanEntry, parsePlanLine, planHash, sha256Of } from '../../core/plan.ts';
import type { Objects } from '../../core/ports.ts';
import { parseResultObject } from '../../core/result-object.ts';
import type { Family } from '../../core/server.ts';
import { assembleDocuments, type DocumentContent } from '../../ssm-documents/assemble.ts';
import { type DocumentRun, type Interpolation, runDocument } from './run-document.ts';

export const place = { account: '111122223333', region: 'eu-central-1' };
export const bucket = 'quarterdeck-campaigns';
export const backupBucket = 'quarterdeck-backups';

const documents = new Map(
  assembleDocuments('ssm-documents').map(({ name, content }) => [name, content] as const),
);

export function documentOf(phase: DocumentPhase, family: Family = 'debian'): DocumentContent {
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const name = `${capital(family)}-${capital(phase)}`;
  const content = documents.get(name);
  if (!content) throw new Error(`no document ${name}`);
  return content;
}

interface Trial {
  /** The job's campaign; each host has one of its own name unless said otherwise. */
  readonly campaign?: string;
  readonly plan?: readonly PlanEntry[];
  readonly exclusions?: readonly string[];
  readonly terms?: OrderTerms;
  /** What the policy asks of this server beside its packages. */
  readonly asked?: Pick<ServerOrder, 'hooks' | 'services' | 'probes'>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly interpolation?: Interpolation;
}

interface PhaseRun extends DocumentRun {
  /** Sections of the result object, when there is one. */
  readonly sections: ReadonlyMap<string, string>;
}

export interface Trials {
  /** Writes the order and gives the parameters of a command. */
  order(host: Host, phase: DocumentPhase, trial?: Trial): Promise<Record<string, string>>;
  run(host: Host, phase: DocumentPhase, trial?: Trial): Promise<PhaseRun>;
  /** Prepares a host and gives its plan, which is checked against the hash in the summary. */
  prepare(host: Host, trial?: Trial): Promise<{ run: PhaseRun; plan: readonly PlanEntry[] }>;
}

export function createTrials(objects: Objects, family: Family = 'debian'): Trials {
  const order = async (host: Host, phase: DocumentPhase, trial: Trial = {}) => {
    const campaign = trial.campaign ?? `2027-q1-${host.name}`;
    const section = {
      serverId: host.id,
      exclusions: trial.exclusions ?? [],
      plan: trial.plan ?? null,
      ...trial.asked,
    };
    const content = orderText(campaign, phase, [section], trial.terms);
    const hash = sha256Of(content);
    await objects.put(`orders/${hash}.txt`, content);
    return {
      CampaignId: campaign,
      Bucket: bucket,
      BucketRegion: place.region,
      OrderKey: `orders/${hash}.txt`,
      OrderSha256: hash,
      TimeBudget: '600',
      RebootReserve: '60',
      ...trial.parameters,
    };
  };
  const run = async (host: Host, phase: DocumentPhase, trial: Trial = {}): Promise<PhaseRun> => {
    const parameters = await order(host, phase, trial);
    const ran = await runDocument(host, documentOf(phase, family), parameters, trial.interpolation);
    return { ...ran, sections: await sectionsOf(ran) };
  };
  const sectionsOf = async ({ summary }: DocumentRun) => {
    if (!summary.object) return new Map<string, string>();
    const packed = await objects.get(summary.object.key);
    if (!packed || sha256Of(packed) !== summary.object.sha256 || packed.length !== summary.object.bytes)
      throw new Error(`result object ${summary.object.key} is not what the summary says`);
    return parseResultObject(gunzipSync(packed));
  };
  return {
    order,
    run,
    async prepare(host, trial = {}) {
      const ran = await run(host, 'prepare', trial);
      const lines = (ran.sections.get('plan') ?? '').split('\n').filter((line) => line !== '');
      const plan = lines.map(parsePlanLine);
      if (ran.summary.plan && planHash(host.id, plan) !== ran.summary.plan.sha256)
        throw new Error('the plan in the result object is not the one in the summary');
      return { run: ran, plan };
    },
  };
}
