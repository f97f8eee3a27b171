/** Owns going on with a recorded campaign on the code of today, from any point of its journal. */
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { type Commands, PortError, type Records } from '../../core/ports.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { start } from './campaign-world.ts';
import type { Entry, Journal, Recording } from './release-recording.ts';
import { createReleaseWorld, releaseCampaign } from './release-world.ts';
import { simulatedDocuments } from './simulated-documents.ts';

type Kind<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

const documentsOfToday = simulatedDocuments();

export interface Resumed {
  readonly ended: Journal['ended'];
  /** Comments of all commands, those of the old release first. */
  readonly sent: readonly string[];
  readonly errors: readonly unknown[];
}

/**
 * The execution goes on with the definition that it began with, as Step Functions does it: what the old functions
 * answered before `length` entries is answered again from the journal, all that comes after by the code of today. What
 * servers were doing at that moment they do to its end, and its events come then, all once more with those before.
 */
export async function resumeCampaign(recording: Recording, length: number): Promise<Resumed> {
  const { entries, invocations } = recording.journal;
  const past = entries.slice(0, length);
  const old = ofKind(past, 'sent');
  const known = new Set(old.map(({ commandId }) => commandId));
  const late = ofKind(entries, 'event').filter(({ event }) => known.has(event.detail['command-id'] ?? ''));
  const lastEvent = entries.findLastIndex((entry) => entry.kind === 'event' && late.includes(entry));

  const records = createMemoryRecords();
  for (const { record } of ofKind(past, 'wrote')) await rewrite(records, record);
  const objects = createMemoryObjects('bucket-of-campaigns', 'eu-central-1');
  const ofServers = entries
    .slice(length, lastEvent + 1)
    .filter((entry) => entry.kind === 'put' && entry.by === 'server');
  for (const { key, base64 } of ofKind([...past, ...ofServers], 'put')) {
    await objects.put(key, Buffer.from(base64, 'base64'));
  }

  const isOpen = ofKind(past, 'invoked').some(({ step }) => step === 'open-campaign');
  const sent = old.map(({ comment }) => comment);
  const answers = createAnswers(past);
  const world = createReleaseWorld({
    at: past.at(-1)?.at ?? start,
    records,
    objects,
    // An update of the stack gives each document its next version, and keeps those before.
    documents: [...recording.documents, ...documentsOfToday],
    commands: (commands) => remembering(commands, old, invocations, (comment) => sent.push(comment), isOpen),
    engine: {
      definition: recording.definition,
      around: (step, payload, invoke) =>
        answers.around(step, payload, invoke, (token, output) => {
          // After the state has begun to wait.
          world.clock.at(world.clock.now(), () => {
            world.host.engine.sendTaskSuccess(token, JSON.stringify(output));
          });
        }),
      callbacks: (callbacks) => ({
        succeed: (token, output) => callbacks.succeed(answers.tokenOfToday(token), output),
        fail: (token, error, cause) => callbacks.fail(answers.tokenOfToday(token), error, cause),
      }),
    },
  });
  await world.clock.busy(() => createCampaign(world.host.ports, releaseCampaign, world.now()));
  for (const { event } of late) {
    const { 'command-id': command = '', 'document-name': name = '', status = '' } = event.detail;
    world.host.publish({ detail: { 'command-id': command, 'document-name': name, status } });
  }
  const ended = await world.finish();
  return { ended, sent, errors: world.errors };
}

/** What the old functions answered, to be answered again; and which token of today stands for which of theirs. */
function createAnswers(past: readonly Entry[]) {
  const calls = ofKind(past, 'invoked');
  const outputs = new Map(ofKind(past, 'answered').map(({ token, output }) => [token, output]));
  const tokens = new Map<string, string>();
  return {
    tokenOfToday: (token: string) => tokens.get(token) ?? token,
    async around(
      step: string,
      payload: unknown,
      invoke: () => Promise<unknown>,
      answer: (token: string, output: unknown) => void,
    ): Promise<unknown> {
      const index = calls.findIndex(
        (call) => call.step === step && tokenless(call.payload) === tokenless(payload),
      );
      const [call] = index < 0 ? [] : calls.splice(index, 1);
      if (!call) return invoke();
      const [then, now] = [tokenOf(call.payload), tokenOf(payload)];
      if (then !== undefined && now !== undefined) {
        tokens.set(then, now);
        if (outputs.has(then)) answer(now, outputs.get(then));
      }
      return call.output;
    },
  };
}

/** Run Command outlives the release: it knows the old commands, and what became of them. */
function remembering(
  commands: Commands,
  old: readonly Kind<'sent'>[],
  invocations: Journal['invocations'],
  onSent: (comment: string) => void,
  isPinned: boolean,
): Commands {
  return {
    ...commands,
    async send(place, request) {
      // Version 1 is what the old release pinned; the documents of today are version 2.
      if (isPinned && request.document.version !== '1') {
        throw new PortError('refused', 'this is not what the campaign pinned when it opened');
      }
      const commandId = await commands.send(place, request);
      onSent(request.comment);
      return commandId;
    },
    async find(place, comment, since) {
      const earlier = old.filter((one) => one.comment === comment && one.at >= since);
      return [
        ...earlier.map(({ commandId, at }) => ({ commandId, comment, requestedAt: at })),
        ...(await commands.find(place, comment, since)),
      ];
    },
    invocations: async (place, id) =>
      old.some(({ commandId }) => commandId === id)
        ? (invocations[id] ?? [])
        : commands.invocations(place, id),
  };
}

async function rewrite(records: Records, { revision, ...record }: Kind<'wrote'>['record']): Promise<void> {
  const item = { key: record.key, body: record.body, ...(record.due && { due: record.due }) };
  const done = revision === 1 ? await records.create(item) : await records.replace(item, revision - 1);
  if (!done) throw new Error(`${record.key.partition}/${record.key.sort} is not in order in the journal`);
}

function ofKind<K extends Entry['kind']>(entries: readonly Entry[], kind: K): Kind<K>[] {
  return entries.filter((entry): entry is Kind<K> => entry.kind === kind);
}

function tokenless(payload: unknown): string {
  return JSON.stringify(payload, (key, value) => (key === 'taskToken' ? undefined : value));
}

function tokenOf(payload: unknown): string | undefined {
  const token = (payload as { taskToken?: unknown } | null)?.taskToken;
  return typeof token === 'string' ? token : undefined;
}
