/** Owns what is kept of a release: its definition and documents, and the journal of a campaign that it ran. */
import * as z from 'zod';
import { campaignDefinition } from '../../apps/local/embedded-host.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import type { Commands, Objects, RecordKey, Records } from '../../core/ports.ts';
import { createCampaign } from '../../core/use-cases/create-campaign.ts';
import { createReleaseWorld, releaseCampaign } from './release-world.ts';
import { simulatedDocuments } from './simulated-documents.ts';

const at = z.string();
const json = z.unknown();

/** One thing that was there for good when it had happened, in the order in which they happened. */
const entrySchema = z.discriminatedUnion('kind', [
  /** An item of the state table, as it was written. */
  z.object({
    kind: z.literal('wrote'),
    at,
    record: z.object({
      key: z.object({ partition: z.string(), sort: z.string() }),
      revision: z.number(),
      body: json,
      due: z.object({ shard: z.string(), at }).optional(),
    }),
  }),
  z.object({
    kind: z.literal('put'),
    at,
    by: z.enum(['campaign', 'server']),
    key: z.string(),
    base64: z.string(),
  }),
  z.object({ kind: z.literal('sent'), at, commandId: z.string(), comment: z.string() }),
  z.object({
    kind: z.literal('event'),
    at,
    event: z.object({ detail: z.record(z.string(), z.string()) }).loose(),
  }),
  /** A function answered the state machine. */
  z.object({ kind: z.literal('invoked'), at, step: z.string(), payload: json, output: json }),
  /** A waiting state had its answer. */
  z.object({ kind: z.literal('answered'), at, token: z.string(), output: json }),
]);
export type Entry = z.infer<typeof entrySchema>;

export const journalSchema = z.object({
  entries: z.array(entrySchema),
  /** What Run Command says of each command in the end. */
  invocations: z.record(
    z.string(),
    z.array(z.custom<Awaited<ReturnType<Commands['invocations']>>[number]>()),
  ),
  ended: z.object({ status: z.string(), state: z.string(), jobs: z.array(z.string()) }),
});
export type Journal = z.infer<typeof journalSchema>;

export interface Recording {
  readonly definition: unknown;
  /** Name and content, with steps that do nothing: what a campaign may say to a document is in its parameters. */
  readonly documents: readonly (readonly [name: string, content: string])[];
  readonly journal: Journal;
}

/** Runs a campaign on the code of today and keeps all that a later release may find of it. */
export async function recordRelease(): Promise<Recording> {
  const entries: Entry[] = [];
  const documents = simulatedDocuments().map(([name, content]) => [name, withoutScripts(content)] as const);
  const note = (entry: Entry) => void entries.push(plain(entry));
  const objects = createMemoryObjects('bucket-of-campaigns', 'eu-central-1');
  const noted = (by: 'campaign' | 'server'): Objects => ({
    ...objects,
    async put(key, content) {
      await objects.put(key, content);
      note({ kind: 'put', at: world.now(), by, key, base64: Buffer.from(content).toString('base64') });
    },
  });
  const world = createReleaseWorld({
    records: notingRecords((record) => note({ kind: 'wrote', at: world.now(), record })),
    objects: noted('campaign'),
    serverObjects: noted('server'),
    documents,
    commands: (commands) => ({
      ...commands,
      async send(place, request) {
        const commandId = await commands.send(place, request);
        note({ kind: 'sent', at: world.now(), commandId, comment: request.comment });
        return commandId;
      },
    }),
    onEvent: (event) =>
      note({ kind: 'event', at: world.now(), event: plain({ ...event, detail: { ...event.detail } }) }),
    engine: {
      async around(step, payload, invoke) {
        const output = await invoke();
        note({ kind: 'invoked', at: world.now(), step, payload, output });
        return output;
      },
      callbacks: (callbacks) => ({
        ...callbacks,
        async succeed(token, output) {
          const result = await callbacks.succeed(token, output);
          if (result === 'delivered') note({ kind: 'answered', at: world.now(), token, output });
          return result;
        },
      }),
    },
  });
  await world.clock.busy(() => createCampaign(world.host.ports, releaseCampaign, world.now()));
  const ended = await world.finish();
  const place = { account: '111111111111', region: 'eu-central-1' };
  const sent = entries.flatMap((entry) => (entry.kind === 'sent' ? [entry.commandId] : []));
  const invocations = await Promise.all(
    sent.map(async (id) => [id, [...(await world.commands.invocations(place, id))]] as const),
  );
  const journal = { entries, invocations: Object.fromEntries(invocations), ended };
  return { definition: campaignDefinition(), documents, journal: journalSchema.parse(plain(journal)) };
}

function notingRecords(note: (record: Extract<Entry, { kind: 'wrote' }>['record']) => void): Records {
  const records = createMemoryRecords();
  const noteStored = async (key: RecordKey) => {
    const stored = await records.get(key);
    if (stored) note(plain(stored));
  };
  return {
    ...records,
    async create(record) {
      const isNew = await records.create(record);
      if (isNew) await noteStored(record.key);
      return isNew;
    },
    async replace(record, expected) {
      const isReplaced = await records.replace(record, expected);
      if (isReplaced) await noteStored(record.key);
      return isReplaced;
    },
  };
}

function withoutScripts(content: string): string {
  const document = JSON.parse(content);
  const mainSteps = document.mainSteps.map(({ inputs, ...step }: { inputs: object }) => ({
    ...step,
    inputs: { ...inputs, runCommand: ['true'] },
  }));
  return JSON.stringify({ ...document, mainSteps });
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
