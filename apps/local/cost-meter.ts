/** Owns the count of what a campaign asks of AWS: calls by name, and the units that are billed for them. */
import { type BilledUnit, type BilledUnits, type ListCost, listCost } from '../../core/list-price.ts';

interface MeterReading {
  /** `dynamodb:PutItem` and the like. */
  readonly calls: Readonly<Record<string, number>>;
  readonly units: BilledUnits;
  readonly cost: ListCost;
}

export interface CostMeter {
  /** @param call service and operation, `ssm:SendCommand` */
  count(call: string, units?: BilledUnits, times?: number): void;
  reading(): MeterReading;
}

export function createCostMeter(): CostMeter {
  const calls = new Map<string, number>();
  const units = new Map<BilledUnit, number>();
  return {
    count(call, billed = {}, times = 1) {
      calls.set(call, (calls.get(call) ?? 0) + times);
      for (const [unit, amount] of Object.entries(billed) as [BilledUnit, number][]) {
        units.set(unit, (units.get(unit) ?? 0) + amount);
      }
    },
    reading() {
      const counted = Object.fromEntries([...units].toSorted(byName));
      return {
        calls: Object.fromEntries([...calls].toSorted(byName)),
        units: counted,
        cost: listCost(counted),
      };
    },
  };
}

function byName([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}

export function countTransitions(meter: CostMeter, transitions = 1): void {
  meter.count('states:Transition', { 'state-transitions': transitions }, transitions);
}

/** An event that a rule sent to the queue: the hop between accounts, and the message. */
export function countEvent(meter: CostMeter): void {
  meter.count('events:Deliver', { 'eventbridge-events': 1 });
  meter.count('sqs:SendMessage', { 'sqs-requests': 1 });
}

/** One batch of messages that Lambda took from the queue, and deleted from it but for those that failed. */
export function countQueueBatch(meter: CostMeter, deleted: number): void {
  meter.count('sqs:ReceiveMessage', { 'sqs-requests': 1 });
  if (deleted > 0) meter.count('sqs:DeleteMessageBatch', { 'sqs-requests': 1 });
}

export interface LambdaMetering {
  readonly meter: CostMeter;
  /** Of the function, for the table of calls. */
  readonly name: string;
  readonly memoryMb: number;
  /** Milliseconds since some moment; never goes back. */
  readonly stopwatch: () => number;
}

/**
 * Runs what a Lambda function does and counts it as AWS would, rounded up to whole milliseconds. The duration is this
 * machine's, next to its database, and without cold starts.
 */
export async function countInvocation<T>(metering: LambdaMetering, work: () => Promise<T>): Promise<T> {
  const { meter, name, memoryMb, stopwatch } = metering;
  const start = stopwatch();
  try {
    return await work();
  } finally {
    const seconds = Math.max(1, Math.ceil(stopwatch() - start)) / 1000;
    meter.count(`lambda:${name}`, {
      'lambda-requests': 1,
      'lambda-gb-seconds': (memoryMb / 1024) * seconds,
    });
  }
}

/** Requests of servers to S3; errors of S3 itself, and lines cut before an answer, cost nothing. */
export function countServerRequest(meter: CostMeter, request: { method: string; status?: number }): void {
  if (request.status === undefined || request.status >= 500) return;
  const writes = request.method === 'PUT';
  meter.count(`s3:${writes ? 'PutObject' : 'GetObject'}`, writes ? { 's3-puts': 1 } : { 's3-gets': 1 });
}
