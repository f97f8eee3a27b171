/** Owns campaigns on their real definition, with functions that answer from a script. */
import { readFileSync } from 'node:fs';
import type { Json, JsonObject } from '../../../apps/local/asl/json.ts';
import { substitute } from '../../../apps/local/asl/substitution.ts';
import type { Answer, Rehearsal } from './rehearsal.ts';

const source = new URL('../../../state-machines/campaign.asl.json', import.meta.url);
const text = readFileSync(source, 'utf8');

/** Every function is called by its name without `FunctionArn`. */
const names = Object.fromEntries(
  [...text.matchAll(/\$\{([A-Za-z]+)FunctionArn\}/g)].map(([, name = '']) => [`${name}FunctionArn`, name]),
);
export const definition = substitute(JSON.parse(text), names).definition as JsonObject;

const list = (name: string, timeoutSeconds = 7200): JsonObject => ({
  bucket: 'campaigns',
  key: `lists/${name}.json`,
  timeoutSeconds,
});
const batches = (...ids: string[]) => JSON.stringify(ids.map((batchId) => ({ batchId, servers: 2 })));

const objects = {
  'campaigns/lists/prepare.json': batches('p-1', 'p-2', 'p-3'),
  'campaigns/lists/patch-0.json': batches('canary'),
  'campaigns/lists/patch-1.json': batches('rest-1', 'rest-2'),
  'campaigns/lists/verify-0.json': batches('canary-v'),
  'campaigns/lists/verify-1.json': batches('rest-v1', 'rest-v2'),
};

type Script = Readonly<Record<string, (payload: JsonObject, attempt: number) => Answer>>;

const until = (hour: number) => `2026-11-30T${String(hour).padStart(2, '0')}:00:00Z`;

/** What happens where nothing goes wrong: two waves, an approval, a wait for the window, a soak each. */
const smooth: Script = {
  OpenCampaign: () => ({ result: { verdict: 'go', ending: null, reason: null, prepare: list('prepare') } }),
  DispatchBatch: ({ batchId = null }) => ({ success: { batchId, counts: { succeeded: 2 } } }),
  GiveUpBatch: () => ({ result: {} }),
  SnapshotBatch: ({ attempt = null }) => ({ result: { verdict: 'done', waitSeconds: 0, attempt } }),
  SealCampaign: () => ({
    result: {
      verdict: 'go',
      approval: true,
      approvalSeconds: 86_400,
      hash: 'a "hash"',
      ending: null,
      reason: null,
    },
  }),
  AskApproval: () => ({ success: { decided: true } }),
  ExpireApproval: () => ({ result: {} }),
  EnterWindow: (_payload, attempt) => ({
    result: attempt === 1 ? entry('wait', { until: until(1) }) : entry('go', {}),
  }),
  JudgeWave: ({ wave, at }) => ({ result: judged(wave as number, at as string) }),
  CloseCampaign: ({ ending = null, reason = null }) => ({
    result: { ending, reason, counts: { succeeded: 6 }, report: 'reports/one.json' },
  }),
};

function entry(verdict: string, rest: JsonObject): JsonObject {
  return { verdict, until: null, ending: null, reason: null, ...rest };
}

function judged(wave: number, at: string, rest: JsonObject = {}): JsonObject {
  return {
    verdict: 'go',
    reason: null,
    isLast: wave === 1,
    soakUntil: `2026-12-0${wave + 1}T02:00:00Z`,
    patch: list(`patch-${wave}`),
    verify: list(`verify-${wave}`, 3600),
    snapshots: false,
    rollback: { batches: [], timeoutSeconds: 5400 },
    at,
    ...rest,
  };
}

const why = (code: string): Json => ({ code, detail: `it "says" ${code}\n` });

function campaign(changes: Script = {}, more: Readonly<Record<string, string>> = {}): Rehearsal {
  const script: Script = { ...smooth, ...changes };
  return {
    definition,
    input: { campaignId: 'c-1' },
    objects: { ...objects, ...more },
    dice: { constant: 0.25 },
    answer(functionName, payload, attempt) {
      const act = script[functionName];
      if (!act) throw new Error(`nobody plays ${functionName}`);
      return act(payload, attempt);
    },
  };
}

const broken: Answer = { error: 'TypeError', message: 'x is not "iterable"' };
const stop = (wave: number, at: string): Script => ({
  JudgeWave: (payload) =>
    payload.wave === wave && payload.at === at
      ? { result: judged(wave, at, { verdict: 'stop', reason: why('error-budget') }) }
      : (smooth.JudgeWave?.(payload, 1) as Answer),
});
/** Every wave has its snapshots first. */
const withSnapshots: Script = {
  JudgeWave: ({ wave, at }) => ({ result: judged(wave as number, at as string, { snapshots: true }) }),
};
/** What servers of the first wave that go back make of it. */
const goingBack = (changes: Script = {}): Script => ({
  JudgeWave: (payload) => {
    const { wave, at } = payload as { wave: number; at: string };
    const rollback = { batches: [{ batchId: 'canary' }, { batchId: 'back' }], timeoutSeconds: 5400 };
    return { result: judged(wave, at, wave === 0 && at === 'verified' ? { rollback } : {}) };
  },
  ...changes,
});
const dispatch = (batch: string, act: (attempt: number) => Answer): Script => ({
  DispatchBatch: (payload, attempt) =>
    payload.batchId === batch ? act(attempt) : (smooth.DispatchBatch?.(payload, attempt) as Answer),
});
/** A function that fails for good, everywhere. */
const breaking = (name: string): Script => ({ [name]: () => broken });

export const campaigns: Readonly<Record<string, Rehearsal>> = {
  'two waves, approved, waited for, soaked and verified': campaign(),
  'no approval is asked': campaign({
    SealCampaign: () => ({ result: { verdict: 'go', approval: false, ending: null, reason: null } }),
  }),
  'opened too late': campaign({
    OpenCampaign: () => ({ result: { verdict: 'stop', ending: 'missed', reason: why('window-closed') } }),
  }),
  'nothing to do': campaign({
    SealCampaign: () => ({ result: { verdict: 'stop', ending: 'nothing-to-do', reason: why('no-plans') } }),
  }),
  'only scanned': campaign({
    SealCampaign: () => ({ result: { verdict: 'stop', ending: 'scanned', reason: why('policy') } }),
  }),
  'nothing to prepare': campaign({}, { 'campaigns/lists/prepare.json': '[]' }),
  'the approval is denied': campaign({
    EnterWindow: () => ({ result: entry('stop', { ending: 'denied', reason: why('denied') }) }),
  }),
  'nobody approves in time': campaign({
    AskApproval: () => ({ silent: true }),
    EnterWindow: () => ({ result: entry('stop', { ending: 'denied', reason: why('silence') }) }),
  }),
  'asking for the approval fails': campaign(breaking('AskApproval')),
  'expiring the approval fails': campaign({
    AskApproval: () => ({ silent: true }),
    ...breaking('ExpireApproval'),
  }),
  'the window closes while it is waited for': campaign({
    EnterWindow: (_payload, attempt) => ({
      result:
        attempt < 3
          ? entry('wait', { until: until(attempt) })
          : entry('stop', { ending: 'missed', reason: why('window-closed') }),
    }),
  }),
  'the canary fails, and the campaign stops after its verification': campaign(stop(0, 'patched')),
  'the verification finds the canary sick': campaign(stop(0, 'verified')),
  'snapshots are taken, some later than others': campaign({
    ...withSnapshots,
    SnapshotBatch: ({ attempt }) => ({
      result:
        (attempt as number) < 2
          ? { verdict: 'wait', waitSeconds: 15, attempt: (attempt as number) + 1 }
          : { verdict: 'done', waitSeconds: 0, attempt: attempt as number },
    }),
  }),
  'snapshots can not be taken, and the dispatch has to see to it': campaign({
    ...withSnapshots,
    ...breaking('SnapshotBatch'),
  }),
  'servers go back, and the campaign goes on': campaign(goingBack()),
  'servers go back after a stop': campaign({
    JudgeWave: ({ wave, at }) => ({
      result: judged(wave as number, at as string, {
        verdict: at === 'begin' ? 'go' : 'stop',
        reason: at === 'begin' ? null : why('stopped-by-hand'),
        rollback: { batches: at === 'verified' ? [{ batchId: 'canary' }] : [], timeoutSeconds: 60 },
      }),
    }),
  }),
  'a rollback is given up, and the campaign ends': campaign({
    ...goingBack(),
    ...dispatch('back', () => broken),
    JudgeWave: (payload, attempt) =>
      payload.at === 'rolled-back'
        ? { result: judged(0, 'rolled-back', { verdict: 'stop', reason: why('rollback-failed') }) }
        : (goingBack().JudgeWave?.(payload, attempt) as Answer),
  }),
  'the way back can not be judged': campaign({
    JudgeWave: (payload, attempt) =>
      payload.at === 'rolled-back' ? broken : (goingBack().JudgeWave?.(payload, attempt) as Answer),
  }),
  'the second wave may not begin': campaign(stop(1, 'begin')),
  'a dispatch is throttled and then goes through': campaign(
    dispatch('rest-1', (attempt) =>
      attempt < 9 ? { error: 'CommandThrottled', message: 'slow down' } : { success: { batchId: 'rest-1' } },
    ),
  ),
  'Lambda is busy for a while': campaign({
    OpenCampaign: (payload, attempt) =>
      attempt < 5
        ? { error: 'Lambda.TooManyRequestsException', message: 'busy' }
        : (smooth.OpenCampaign?.(payload, 1) as Answer),
  }),
  'a command is refused, and its batch given up at once': campaign(
    dispatch('canary', () => ({ error: 'CommandRefused', message: 'InvalidDocument' })),
  ),
  'a batch is given up after four more attempts': campaign(dispatch('p-2', () => broken)),
  'a batch is never answered': campaign(dispatch('rest-2', () => ({ silent: true }))),
  'a verification is failed by its callback': campaign(
    dispatch('canary-v', (attempt) =>
      attempt < 3 ? { failure: 'Lost', cause: 'a "cause"' } : { success: { batchId: 'canary-v' } },
    ),
  ),
  'every batch is given up': campaign({ DispatchBatch: () => ({ error: 'CommandRefused', message: 'no' }) }),
  'opening fails four times': campaign(breaking('OpenCampaign')),
  'opening finds another release': campaign({
    OpenCampaign: () => ({ error: 'DocumentDiffers', message: 'version 3 is not "2"' }),
  }),
  'opening takes too long': campaign({ OpenCampaign: () => ({ silent: true }) }),
  'sealing fails': campaign(breaking('SealCampaign')),
  'the window can not be looked at': campaign(breaking('EnterWindow')),
  'judging fails': campaign(breaking('JudgeWave')),
  'judging fails after the patch, and what was patched is looked at': campaign({
    JudgeWave: (payload, attempt) =>
      payload.at === 'patched' ? broken : (smooth.JudgeWave?.(payload, attempt) as Answer),
  }),
  'closing fails': campaign(breaking('CloseCampaign')),
};
