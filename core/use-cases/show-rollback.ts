/** Shows what became of a rollback by hand, server by server, and of a dry run what would be done. */
import * as z from 'zod';
import { isComplete } from '../batch.ts';
import { Refused } from '../calls.ts';
import { parseRecord } from '../entities.ts';
import { inParallel } from '../parallel.ts';
import type { Objects, Ports } from '../ports.ts';
import { askedOf, type Rollback, rollbackKey, rollbacks } from '../rollback.ts';
import { rollbackBatches } from './close-rollback.ts';
import { loadJobs } from './load-jobs.ts';
import { readResult, unpackResult } from './orders.ts';

export const showRollbackInput = z.object({ campaignId: z.string() });

interface ShownServer {
  readonly server: string;
  readonly id: string;
  /** State of its job, or of a dry run what it answered; null while nothing was heard. */
  readonly state: string | null;
  readonly reason: string | null;
  /** Of a dry run: rung, what, to what, from, to; by tab stops. */
  readonly steps: readonly string[];
}

export interface ShowRollbackOutput extends ReturnType<typeof askedOf> {
  readonly campaignId: string;
  /** Every server has answered, or was given up. */
  readonly complete: boolean;
  readonly rows: readonly ShownServer[];
  readonly past: Rollback['past'];
}

/** @throws Refused where nobody asked for one */
export async function showRollback(
  ports: Pick<Ports, 'records'> & { readonly objects: Pick<Objects, 'get'> },
  input: z.input<typeof showRollbackInput>,
): Promise<ShowRollbackOutput> {
  const { campaignId } = showRollbackInput.parse(input);
  const record = await ports.records.get(rollbackKey(campaignId));
  if (record === undefined)
    throw new Refused('no-rollback', `nobody has asked for a rollback of campaign ${campaignId}`);
  const rollback = parseRecord(rollbacks, record);
  const all = await rollbackBatches(ports, rollback);
  const answers = new Map(
    all.flatMap(({ byHand }) => byHand?.answers ?? []).map((answer) => [answer.serverId, answer]),
  );
  const members = await loadJobs(ports.records, campaignId, rollback.serverIds);
  const rows = await inParallel(members, 8, async ({ server: { id, name }, state, reasons }) => {
    if (!rollback.dryRun) return { server: name, id, state, reason: reasons[0]?.detail ?? null, steps: [] };
    const answer = answers.get(id);
    return {
      server: name,
      id,
      state: answer ? (answer.result ?? 'no-answer') : null,
      reason: answer?.reasons[0]?.detail ?? null,
      steps: answer?.objectKey ? await stepsIn(ports.objects, answer.objectKey) : [],
    };
  });
  const isOver = rollback.endedAt !== null || all.every(({ runs }) => isComplete(runs.rollback));
  return { ...askedOf(rollback), campaignId, complete: isOver, rows, past: rollback.past };
}

/** What a server wrote may be anything, or be written over by its rollback since: then nothing is shown. */
async function stepsIn(objects: Pick<Objects, 'get'>, key: string): Promise<string[]> {
  const stored = await readResult(objects, key);
  if (stored.kind === 'unreadable') return [];
  try {
    const lines = unpackResult(stored.content).get('steps')?.split('\n') ?? [];
    return lines.filter((line) => line !== '').slice(0, 200);
  } catch {
    return [];
  }
}
