/** Settles the batches that events of Run Command, taken from the queue, are about. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import * as z from 'zod';
import { settleCommand } from '../core/use-cases/settle-run.ts';
import { callbacks, invocations, objects, records } from './compose.ts';
import { createHandler } from './handler.ts';

const queueEvent = z.object({
  Records: z.array(z.looseObject({ messageId: z.string(), body: z.string() })),
});

/** The rule lets through what has ended, of our documents only; what it does not let through is not asked for here. */
const commandEvent = z.object({ detail: z.object({ 'command-id': z.string().min(1) }) });

export const handler = createHandler({
  name: 'settle-events',
  compose: (world) => ({
    records: records(world),
    objects: objects(world),
    commands: invocations(world),
    callbacks: callbacks(world),
  }),
  async run(ports, event, now, logger) {
    queueEvent.parse(event);
    // One look at a command serves all its events that are in this delivery.
    const looks = new Map<string, Promise<void>>();
    const settle = async ({ body }: { body: string }) => {
      const commandId = commandEvent.parse(JSON.parse(body)).detail['command-id'];
      const look = looks.get(commandId) ?? settleCommand(ports, commandId, now);
      looks.set(commandId, look);
      await look;
    };
    const processor = new BatchProcessor(EventType.SQS);
    const events = event as Parameters<typeof processPartialResponse>[0];
    // An event may come before its command is recorded: that all of a delivery come again is nothing unusual.
    const answer = await processPartialResponse(events, settle, processor, {
      throwOnFullBatchFailure: false,
    });
    for (const error of processor.errors) logger.warn('comes again', { reason: String(error) });
    return answer;
  },
});
