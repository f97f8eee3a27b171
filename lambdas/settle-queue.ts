/** Owns the taking of a delivery of the queue: what could not be settled comes again, and only that. */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { PartialItemFailureResponse } from '@aws-lambda-powertools/batch/types';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';

const deliverySchema: z.ZodType<Pick<SQSEvent, 'Records'>> = z.object({
  Records: z.array(z.custom<SQSEvent['Records'][number]>(isMessage, 'is not a message of a queue')),
});

/** The rule lets through what has ended, of our documents only; what it does not let through is not asked for here. */
const commandEventSchema = z.object({ detail: z.object({ 'command-id': z.string().min(1) }) });

/**
 * @param settle once per command and delivery: one look serves all its events
 * @param onFailure told why events come again
 */
export async function settleQueue(
  event: unknown,
  settle: (commandId: string) => Promise<void>,
  onFailure: (error: Error) => void,
): Promise<PartialItemFailureResponse> {
  const looks = new Map<string, Promise<void>>();
  const settleMessage = async ({ body }: { body: string }) => {
    const commandId = commandEventSchema.parse(JSON.parse(body)).detail['command-id'];
    const look = looks.get(commandId) ?? settle(commandId);
    looks.set(commandId, look);
    await look;
  };
  const processor = new BatchProcessor(EventType.SQS);
  // An event may come before its command is recorded: that all of a delivery come again is nothing unusual.
  const options = { throwOnFullBatchFailure: false };
  const answer = await processPartialResponse(deliverySchema.parse(event), settleMessage, processor, options);
  for (const error of processor.errors) onFailure(error);
  return answer;
}

function isMessage(value: unknown): boolean {
  return z.object({ messageId: z.string().min(1), body: z.string() }).safeParse(value).success;
}
