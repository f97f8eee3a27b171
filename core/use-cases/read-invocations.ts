/** Reads what Run Command says of the commands of one run, by server. */
import type { Batch, Run } from '../batch.ts';
import { inParallel } from '../parallel.ts';
import type { Commands, Invocation } from '../ports.ts';

export async function readInvocations(
  ports: { readonly commands: Pick<Commands, 'invocations'> },
  batch: Batch,
  run: Run,
): Promise<Map<string, Invocation>> {
  const pages = await inParallel(Object.values(run.commands), 4, (id) =>
    ports.commands.invocations(batch.place, id),
  );
  return new Map(pages.flat().map((invocation) => [invocation.serverId, invocation]));
}
