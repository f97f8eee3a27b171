/** Owns how job states and facts are said to people: in which words, how loudly, and in which order. */
import type { CampaignState } from '../../../core/campaign.ts';
import type { JobState } from '../../../core/job.ts';
import type { Facts } from '../../../core/outcome.ts';

/** `bad` needs a person, `watch` may need one, `busy` is under way, `calm` asks for nothing and proves nothing. */
export type Tone = 'good' | 'calm' | 'busy' | 'watch' | 'bad';

interface StateWords {
  readonly label: string;
  readonly tone: Tone;
  /** After a number, in a sentence. */
  readonly told: string;
}

/** In the order in which people should read them: what needs them most comes first. */
export const stateWords: Readonly<Record<JobState, StateWords>> = {
  'rollback-failed': { label: 'rollback failed', tone: 'bad', told: 'failed and could not be rolled back' },
  failed: { label: 'failed', tone: 'bad', told: 'failed' },
  lost: { label: 'lost', tone: 'bad', told: 'gave no answer after patching began' },
  unreachable: { label: 'unreachable', tone: 'bad', told: 'could not be reached' },
  'rolled-back': { label: 'rolled back', tone: 'watch', told: 'failed and was rolled back' },
  drifted: { label: 'drifted', tone: 'watch', told: 'drifted from the plan and was left untouched' },
  unsupported: { label: 'unsupported', tone: 'watch', told: 'can not be patched' },
  'not-started': { label: 'not started', tone: 'watch', told: 'not started' },
  held: { label: 'held', tone: 'watch', told: 'held back by a person' },
  superseded: { label: 'superseded', tone: 'watch', told: 'replaced before its patch was sent' },
  'rolling-back': { label: 'rolling back', tone: 'busy', told: 'rolling back' },
  verifying: { label: 'verifying', tone: 'busy', told: 'being verified' },
  patching: { label: 'patching', tone: 'busy', told: 'being patched' },
  ready: { label: 'ready', tone: 'busy', told: 'ready to be patched' },
  preparing: { label: 'preparing', tone: 'busy', told: 'being prepared' },
  planned: { label: 'planned', tone: 'busy', told: 'planned' },
  succeeded: { label: 'succeeded', tone: 'good', told: 'patched and verified' },
  'nothing-to-do': { label: 'nothing to do', tone: 'calm', told: 'had nothing to update' },
};

const order = Object.keys(stateWords) as JobState[];

export function byUrgency(a: JobState, b: JobState): number {
  return order.indexOf(a) - order.indexOf(b);
}

/** Whether a server ended as one would wish. */
export function isFine(state: JobState): boolean {
  return state === 'succeeded' || state === 'nothing-to-do';
}

interface FactWords {
  readonly label: string;
  /** For a column. */
  readonly short: string;
  /** Which answer is the wished one; null where neither is. */
  readonly wished: boolean | null;
}

export const factWords: Readonly<Record<keyof Facts, FactWords>> = {
  installed: { label: 'installed', short: 'installed', wished: true },
  rebootPending: { label: 'reboot pending', short: 'reboot', wished: false },
  rebooted: { label: 'rebooted', short: 'rebooted', wished: null },
  healthy: { label: 'healthy', short: 'healthy', wished: true },
  compliant: { label: 'compliant', short: 'compliant', wished: true },
};

/** Unknown is never shown as if it were an answer. */
export function factText(fact: boolean | null): string {
  return fact === null ? 'unknown' : fact ? 'yes' : 'no';
}

export function factTone(name: keyof Facts, fact: boolean | null): Tone {
  const { wished } = factWords[name];
  if (fact === null) return 'calm';
  if (wished === null) return 'calm';
  return fact === wished ? 'good' : 'bad';
}

/** Wave 0 is the canary; the others keep the numbers that reasons and logs use. */
export function waveText(wave: number | null): string {
  return wave === null ? '–' : wave === 0 ? 'canary' : `wave ${wave}`;
}

export const campaignWords: Readonly<Record<CampaignState, string>> = {
  planned: 'planned',
  preparing: 'preparing',
  sealed: 'sealed',
  'awaiting-approval': 'awaiting approval',
  patching: 'patching',
  completed: 'completed',
  stopped: 'stopped',
  denied: 'not approved',
  missed: 'window missed',
  'nothing-to-do': 'nothing to do',
  scanned: 'scanned',
  broken: 'broken off',
};
