/** Owns valid things of the domain for tests to start from: each function gives one, but for what the test changes. */
import { gzipSync } from 'node:zlib';
import type { Archive } from '../../core/backup.ts';
import { type Campaign, campaignSchema } from '../../core/campaign.ts';
import { documentName, pinKey } from '../../core/document.ts';
import type { Exception } from '../../core/exception.ts';
import type { Instant } from '../../core/instant.ts';
import type { Job } from '../../core/job.ts';
import { type Facts, unknownFacts } from '../../core/outcome.ts';
import { type Phase, phaseSchema } from '../../core/phase.ts';
import { type PlanEntry, planHash, planLine, sha256Of } from '../../core/plan.ts';
import { type Policy, policySchema } from '../../core/policy.ts';
import type { DocumentPin } from '../../core/ports.ts';
import { backupPrefix, serverPrefix } from '../../core/result-object.ts';
import { type Family, type Place, type Server, serverSchema } from '../../core/server.ts';
import { type Summary, summarySchema } from '../../core/summary.ts';

export const campaignId = 'spring-2027-web';
export const frankfurt: Place = { account: '111111111111', region: 'eu-central-1' };
export const dublin: Place = { account: '222222222222', region: 'eu-west-1' };

/** The window of the sample campaign, and a moment a day before it. */
export const window = {
  start: '2026-11-21T22:00:00.000Z',
  end: '2026-11-22T04:00:00.000Z',
  zone: 'Europe/Berlin',
};
export const dayBefore: Instant = '2026-11-20T22:00:00.000Z';

/** @param number any; the same number is the same id */
export function serverId(number: number): string {
  return `i-${number.toString(16).padStart(17, '0')}`;
}

export function serverOf(number: number, changes: Partial<Server> = {}): Server {
  return serverSchema.parse({
    schema: 1,
    id: serverId(number),
    name: `web-${number}`,
    place: frankfurt,
    family: 'debian',
    environment: 'production',
    owner: 'web team',
    zone: 'Europe/Berlin',
    ...changes,
  });
}

export function policyOf(changes: Partial<Record<keyof Policy, unknown>> = {}): Policy {
  return policySchema.parse({ schema: 1, name: 'production', ...changes });
}

export function pinOf(family: Family, phase: Phase): DocumentPin {
  return { name: documentName(family, phase), version: '7', hash: sha256Of(`${family} ${phase}`) };
}

export function campaignOf(changes: Partial<Campaign> = {}): Campaign {
  return campaignSchema.parse({
    schema: 1,
    id: campaignId,
    policy: policyOf(),
    quarter: '2027-Q1',
    window,
    requestedBy: 'ann',
    createdAt: dayBefore,
    state: 'planned',
    reason: null,
    serversKey: `campaigns/${campaignId}/servers.json`,
    serverCount: 1,
    documents: Object.fromEntries(
      phaseSchema.options.map((phase) => [pinKey(frankfurt, 'debian', phase), pinOf('debian', phase)]),
    ),
    seal: null,
    approval: null,
    stop: null,
    endedAt: null,
    ...changes,
  });
}

const root = sha256Of('root');

/** Sealed, approved by another person, and in its window. */
export function approvedCampaign(changes: Partial<Campaign> = {}): Campaign {
  return campaignOf({
    state: 'patching',
    seal: { root, at: dayBefore, ready: 1, waves: [{ servers: 1, batches: 1, key: 'wave-0.json' }] },
    approval: {
      root,
      token: 'token',
      askedAt: dayBefore,
      expiresAt: window.start,
      decision: { approved: true, by: 'bob', at: dayBefore, reason: '' },
      answered: true,
    },
    ...changes,
  });
}

export function jobOf(changes: Partial<Job> = {}): Job {
  const state = changes.state ?? 'planned';
  return {
    schema: 1,
    campaignId,
    server: serverOf(1),
    reasons: [],
    history: [{ state, at: dayBefore }],
    wave: null,
    facts: unknownFacts,
    plan: null,
    dispatched: null,
    phases: {},
    snapshots: [],
    ...changes,
    state,
  };
}

export function entryOf(changes: Partial<PlanEntry> = {}): PlanEntry {
  const name = changes.name ?? 'openssl';
  return {
    action: 'upgrade',
    name,
    architecture: 'amd64',
    from: '3.0.1-1',
    to: '3.0.2-1',
    repository: 'Debian-Security:stable-security',
    security: true,
    size: 1_000_000,
    sha256: sha256Of(name),
    rollback: changes.from === null ? null : 'repository',
    oldSize: 0,
    oldSha256: null,
    ...changes,
  };
}

export function exceptionOf(changes: Partial<Exception> = {}): Exception {
  return {
    schema: 1,
    id: 'keep-openssl',
    scope: { kind: 'everywhere' },
    package: 'openssl',
    reason: 'the vendor has not certified it',
    requester: 'carol',
    from: '2026-01-01T00:00:00.000Z',
    until: '2027-01-01T00:00:00.000Z',
    ...changes,
  };
}

export const allGood: Facts = {
  installed: true,
  rebootPending: false,
  rebooted: true,
  healthy: true,
  compliant: true,
};

const goodResult = {
  prepare: 'planned',
  patch: 'patched',
  verify: 'verified',
  rollback: 'rolled-back',
} as const;
const bootId = '00000000-0000-4000-8000-000000000001';

/** The archive that a server made before its patch. */
function archiveOf(server: Server, campaign = campaignId): Archive {
  const key = `${backupPrefix(server)}/${campaign}/configuration.tar.gz`;
  return { key, sha256: sha256Of(key), bytes: 4096, files: 12 };
}

/** What a server says when all goes well; its result object is to be had from `resultObjectOf`. */
export function summaryOf(server: Server, phase: Phase, changes: Partial<Summary> = {}): Summary {
  const plan = [entryOf()];
  const content = resultObjectOf({ plan });
  return {
    schema: 1,
    phase,
    campaign: campaignId,
    server: server.id,
    code: 0,
    result: goodResult[phase],
    reasons: [],
    warnings: [],
    plan: { sha256: planHash(server.id, plan), entries: 1, security: 1, downloadBytes: 1_000_000 },
    facts: phase === 'prepare' ? unknownFacts : allGood,
    found: summarySchema.shape.found.parse({}),
    backup: phase === 'patch' ? archiveOf(server) : null,
    rungs: [],
    newer: 0,
    boot: { before: bootId, after: bootId },
    object: {
      key: `${serverPrefix(server)}/${campaignId}/${phase}.gz`,
      sha256: sha256Of(content),
      bytes: content.length,
    },
    system: { id: 'debian', version: '12', kernel: '6.1.0-40-amd64' },
    seconds: { total: 30 },
    ...changes,
  };
}

export function resultText(sections: Record<string, string>): string {
  const parts = Object.entries(sections).map(
    ([name, text]) => `section ${name} ${Buffer.byteLength(text)}\n${text}\n`,
  );
  return `quarterdeck-result 1\n${parts.join('')}`;
}

/** A result object as a server writes it: by default of the plan that `summaryOf` speaks of. */
export function resultObjectOf({ plan = [entryOf()] }: { plan?: readonly PlanEntry[] } = {}): Uint8Array {
  const sections = {
    plan: plan.map((entry) => `${planLine(entry)}\n`).join(''),
    after: plan.map(({ name, architecture, to }) => `${name}\t${architecture}\t${to ?? '-'}\n`).join(''),
    log: 'done\n',
  };
  return gzipSync(resultText(sections));
}
