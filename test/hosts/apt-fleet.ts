/** Owns the fleet that the documents are tried on: real apt, a signed repository, S3 and instance metadata. */
import { gunzipSync } from 'node:zlib';
import { createEndpoints, type Endpoints } from '../../apps/local/aws/endpoints.ts';
import type { PackageSpec } from '../../apps/local/hosts/deb-file.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { Suite } from '../../apps/local/hosts/repository.ts';
import { createSandboxFleet, type SandboxFleet } from '../../apps/local/hosts/sandbox-fleet.ts';
import type { How } from '../../apps/local/hosts/vessel.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { orderText } from '../../core/order.ts';
import type { Phase } from '../../core/phase.ts';
import { type PlanEntry, parsePlanLine, planHash, sha256Of } from '../../core/plan.ts';
import type { Objects } from '../../core/ports.ts';
import { parseResultObject } from '../../core/result-object.ts';
import { assembleDocuments, type DocumentContent } from '../../ssm-documents/assemble.ts';
import { type DocumentRun, type Interpolation, runDocument } from '../support/run-document.ts';

export const place = { account: '111122223333', region: 'eu-central-1' };
const bucket = 'quarterdeck-campaigns';

const documents = new Map(
  assembleDocuments('ssm-documents').map(({ name, content }) => [name, content] as const),
);

export function documentOf(phase: Phase): DocumentContent {
  const name = `Debian-${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
  const content = documents.get(name);
  if (!content) throw new Error(`no document ${name}`);
  return content;
}

export interface Trial {
  /** The job's campaign; each host has one of its own name unless said otherwise. */
  readonly campaign?: string;
  readonly plan?: readonly PlanEntry[];
  readonly exclusions?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly interpolation?: Interpolation;
}

export interface PhaseRun extends DocumentRun {
  /** Sections of the result object, when there is one. */
  readonly sections: ReadonlyMap<string, string>;
}

export interface AptFleet {
  readonly sandbox: SandboxFleet;
  readonly endpoints: Endpoints;
  readonly objects: Objects;
  host(name: string): Host;
  /** Writes the order and gives the parameters of a command. */
  order(host: Host, phase: Phase, trial?: Trial): Promise<Record<string, string>>;
  run(host: Host, phase: Phase, trial?: Trial): Promise<PhaseRun>;
  /** Prepares a host and gives its plan, which is checked against the hash in the summary. */
  prepare(host: Host, trial?: Trial): Promise<{ run: PhaseRun; plan: readonly PlanEntry[] }>;
  /** Has updates published while `work` runs, and gone afterwards. */
  whilePublished<T>(suite: Suite, packages: readonly PackageSpec[], work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function createAptFleet(options: {
  readonly names: readonly string[];
  readonly installed: readonly PackageSpec[];
  readonly automatic?: readonly string[];
  readonly how?: How;
}): Promise<AptFleet> {
  const objects = createMemoryObjects(bucket, place.region);
  const endpoints = createEndpoints({ objects, clock: { now: () => Date.now() } });
  const servers = options.names.map((name, index) => ({
    id: `i-0${index.toString(16).padStart(16, '0')}`,
    name,
  }));
  const sandbox = await createSandboxFleet({
    servers,
    how: options.how ?? 'booted',
    installed: options.installed,
    automatic: options.automatic ?? [],
    endpoints: (id) => endpoints.listenersFor({ id, place }),
    progress: () => {},
    now: () => new Date(),
  });
  const order = async (host: Host, phase: Phase, trial: Trial = {}) => {
    const campaign = trial.campaign ?? `2027-q1-${host.name}`;
    const content = orderText(campaign, phase, [
      { serverId: host.id, exclusions: trial.exclusions ?? [], plan: trial.plan ?? null },
    ]);
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
  const run = async (host: Host, phase: Phase, trial: Trial = {}): Promise<PhaseRun> => {
    const parameters = await order(host, phase, trial);
    const ran = await runDocument(host, documentOf(phase), parameters, trial.interpolation);
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
    sandbox,
    endpoints,
    objects,
    host(name) {
      const host = sandbox.hosts.find((candidate) => candidate.name === name);
      if (!host) throw new Error(`no host ${name}`);
      return host;
    },
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
    async whilePublished(suite, packages, work) {
      await sandbox.repository.publish(suite, packages);
      try {
        return await work();
      } finally {
        for (const { name, version } of packages) await sandbox.repository.withdraw(suite, name, version);
      }
    },
    close: () => sandbox.close(),
  };
}

/** A package that only exists, at some version. */
export const plain = (name: string, version: string, more: Partial<PackageSpec> = {}): PackageSpec => ({
  name,
  version,
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
  ...more,
});
