/** Owns what a command says to a document: its name and parameters for each phase. */
import { createHash } from 'node:crypto';
import type { Campaign } from './campaign.ts';
import { type DocumentPhase, documentPhaseSchema, type Phase } from './phase.ts';
import {
  type Policy,
  patchReboots,
  patchTimeBudget,
  rebootTimeout,
  rollbackReboots,
  rollbackTimeBudget,
} from './policy.ts';
import { type Family, familySchema, type Place, placeKey } from './server.ts';

/** Events of Run Command carry the document's name; this prefix tells ours from everybody else's in the account. */
export const documentPrefix = 'Quarterdeck-';

const capital = (word: string) => `${word[0]?.toUpperCase()}${word.slice(1)}`;

export function documentName(family: Family, phase: DocumentPhase): string {
  return `${documentPrefix}${capital(family)}-${capital(phase)}`;
}

/** Under which a campaign keeps the pin of a document. */
export function pinKey(place: Place, family: Family, phase: Phase): string {
  return `${placeKey(place)} ${family} ${phase}`;
}

/** Asks a server of any family for its time zone. */
export const timeZoneDocument = `${documentPrefix}TimeZone`;

export type DocumentKind = DocumentPhase | 'time-zone';

/** Names of the documents of these kinds, of every family where they have one; of all kinds where none is named. */
export function sentDocuments(
  kinds: readonly DocumentKind[] = [...documentPhaseSchema.options, 'time-zone'],
): string[] {
  const phases = kinds.filter((kind) => kind !== 'time-zone');
  return [
    ...familySchema.options.flatMap((family) => phases.map((phase) => documentName(family, phase))),
    ...(kinds.includes('time-zone') ? [timeZoneDocument] : []),
  ];
}

/** A campaign, or one of its batches: what takes longer on bare metal. */
export interface Timed extends Pick<Campaign, 'policy'> {
  readonly metal?: boolean | undefined;
}

/** What a step may take beyond the host's own time budget before the agent kills it. */
const killMargin = 60;

/** Seconds from the agent taking the command until it must have ended, in any case. */
export function executionSeconds(campaign: Timed, phase: Phase): number {
  const { timeouts } = campaign.policy;
  switch (phase) {
    case 'prepare':
      return timeouts.prepare;
    case 'patch':
      return patchTimeBudget(campaign.policy, campaign.metal) + killMargin;
    case 'rollback':
      return rollbackTimeBudget(campaign.policy, campaign.metal) + killMargin;
    case 'verify':
      return timeouts.verify;
  }
}

/** What the summary step of every document may take. */
export const summarySeconds = 60;

/**
 * Longer than a function that dispatches may run: its lease, so that two never send at the same time, and part of what
 * a window must hold, since it may send at the very end of it. The stack gives that function less.
 */
export const dispatchSeconds = 120;

/** Seconds after which a command that was sent has certainly ended or timed out. */
export function commandSeconds(campaign: Timed, phase: Phase): number {
  return campaign.policy.timeouts.delivery + executionSeconds(campaign, phase) + summarySeconds;
}

/** Seconds from deciding on a phase until the last of its commands has ended. */
export function phaseSeconds(campaign: Timed, phase: Phase): number {
  return dispatchSeconds + commandSeconds(campaign, phase);
}

export interface OrderRef {
  readonly key: string;
  readonly sha256: string;
}

/** In one Region, both of them. */
export interface DocumentBuckets {
  readonly objects: { readonly bucket: string; readonly region: string };
  readonly backups: { readonly bucket: string };
}

/** All documents take the same parameters, so that one form serves every family and phase. */
export function documentParameters(
  campaign: Campaign,
  phase: Phase,
  { objects, backups }: DocumentBuckets,
  order: OrderRef,
  dryRun = false,
): Record<string, string> {
  const { policy } = campaign;
  return {
    CampaignId: campaign.id,
    Bucket: objects.bucket,
    BucketRegion: objects.region,
    OrderKey: order.key,
    OrderSha256: order.sha256,
    ...(campaign.hybridRoleId !== undefined && { HybridPrefix: campaign.hybridRoleId }),
    // What may be installed; a scan is over before anything is.
    Mode: campaign.selection?.mode ?? (policy.mode === 'scan' ? 'all' : policy.mode),
    Reboot: policy.reboot === 'separate-window' ? 'never' : policy.reboot,
    Removals: policy.removals,
    // A duration and no moment: a server's clock is never asked.
    TimeBudget: String(timeBudget(campaign, phase)),
    RebootReserve: String(rebootReserve(campaign, phase)),
    MaxMetadataAge: String(policy.maxMetadataAgeHours),
    Services: policy.services,
    KeepPackages: policy.rollback.packages,
    KeepMebibytes: String(Math.floor(policy.rollback.maxBytes / 1024 ** 2)),
    KeepDays: String(policy.rollback.keepDays),
    // Prepare tells while there is time that a server has not what backups are made with.
    ...((phase === 'prepare' || phase === 'patch') && {
      Backup: policy.backup.configuration,
      BackupBucket: backups.bucket,
      BackupMebibytes: String(Math.floor(policy.backup.maxBytes / 1024 ** 2)),
      BackupTimeout: String(policy.timeouts.backup),
    }),
    ExecutionTimeout: String(executionSeconds(campaign, phase)),
    ...(phase === 'rollback' && { RollbackTo: rollbackTo(policy), DryRun: dryRun ? 'yes' : 'no' }),
  };
}

/** A person who asks for a rollback that the policy leaves to people gets the first rung. */
function rollbackTo({ rollback: { automatic } }: Policy): string {
  return automatic === 'none' ? 'packages' : automatic;
}

function timeBudget(campaign: Timed, phase: Phase): number {
  switch (phase) {
    case 'patch':
      return patchTimeBudget(campaign.policy, campaign.metal);
    case 'rollback':
      return rollbackTimeBudget(campaign.policy, campaign.metal);
    case 'prepare':
    case 'verify':
      return executionSeconds(campaign, phase);
  }
}

function rebootReserve({ policy, metal = false }: Timed, phase: Phase): number {
  const reboots = phase === 'rollback' ? rollbackReboots(policy) : patchReboots(policy);
  return reboots ? rebootTimeout(policy.timeouts, metal) : 0;
}

/**
 * SHA-256 of what a document says, whatever the order of its keys: services give JSON back in their own words. Not
 * the hash that Run Command checks, which is over a form that AWS does not tell.
 */
export function documentContentHash(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content, sortedKeys)).digest('hex');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
