/** Runs one function in a thread of its own, with its own environment and its own clock: what Lambda is to a handler. */
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';

const invocationSchema = z.object({
  id: z.number(),
  event: z.unknown(),
  context: z.object({ awsRequestId: z.string(), invokedFunctionArn: z.string() }),
  /** Epoch milliseconds at which it begins. */
  now: z.number(),
});

const RealDate = Date;
/** From the machine's clock to that of the campaign, which skips ahead. */
let ahead = 0;

class CampaignDate extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length > 0 ? given : [CampaignDate.now()]) as [number]));
  }
  static override now(): number {
    return RealDate.now() + ahead;
  }
}
globalThis.Date = CampaignDate as DateConstructor;

const { handler } = await import(z.object({ bundle: z.string() }).parse(workerData).bundle);

parentPort?.on('message', async (message) => {
  const { id, event, context, now } = invocationSchema.parse(message);
  ahead = now - RealDate.now();
  try {
    // Lambda gives back JSON.
    parentPort?.postMessage({ id, output: JSON.stringify((await handler(event, context)) ?? null) });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    parentPort?.postMessage({ id, error: { name, message, stack } });
  }
});
