/** Owns what AWS charges for the work of a campaign: list prices of us-east-1, and the sum over counted units. */

interface ListPrice {
  readonly service: string;
  /** One of what is counted, for people. */
  readonly unit: string;
  /** US dollars for one. */
  readonly usd: number;
}

/**
 * Free tiers, savings plans and volume discounts are left out, and so is what a campaign hardly moves: storage, log
 * ingestion, key management, data transfer within the Region. Run Command, and callbacks to Step Functions, are free.
 */
export const listPrices = {
  /** Standard workflows, $0.025 per 1,000: https://aws.amazon.com/step-functions/pricing/ */
  'state-transitions': { service: 'Step Functions', unit: 'state transition', usd: 0.025 / 1000 },
  /** $0.20 per million: https://aws.amazon.com/lambda/pricing/ */
  'lambda-requests': { service: 'Lambda', unit: 'invocation', usd: 0.2 / 1e6 },
  /** Arm, first tier, billed by the millisecond: https://aws.amazon.com/lambda/pricing/ */
  'lambda-gb-seconds': { service: 'Lambda', unit: 'GB-second', usd: 0.0000133334 },
  /** On demand, $0.625 per million since November 2024: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  'dynamodb-write-units': { service: 'DynamoDB', unit: 'write request unit', usd: 0.625 / 1e6 },
  /** On demand, $0.125 per million since November 2024: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  'dynamodb-read-units': { service: 'DynamoDB', unit: 'read request unit', usd: 0.125 / 1e6 },
  /** Standard class, PUT, COPY, POST and LIST, $0.005 per 1,000: https://aws.amazon.com/s3/pricing/ */
  's3-puts': { service: 'S3', unit: 'PUT or LIST', usd: 0.005 / 1000 },
  /** Standard class, GET and all others, $0.0004 per 1,000: https://aws.amazon.com/s3/pricing/ */
  's3-gets': { service: 'S3', unit: 'GET or HEAD', usd: 0.0004 / 1000 },
  /**
   * $1.00 per million: https://aws.amazon.com/eventbridge/pricing/. Events of AWS services are free within their
   * account, but not when a rule sends them to the bus of another one, as it does for fleets in member accounts.
   */
  'eventbridge-events': { service: 'EventBridge', unit: 'event across accounts', usd: 1 / 1e6 },
  /** $1.00 per million: https://aws.amazon.com/eventbridge/pricing/ */
  'scheduler-invocations': { service: 'EventBridge Scheduler', unit: 'invocation', usd: 1 / 1e6 },
  /** Standard queues, $0.40 per million, a batch of up to 64 KB being one: https://aws.amazon.com/sqs/pricing/ */
  'sqs-requests': { service: 'SQS', unit: 'request', usd: 0.4 / 1e6 },
  /** Standard topics, $0.50 per million: https://aws.amazon.com/sns/pricing/ */
  'sns-publishes': { service: 'SNS', unit: 'publish', usd: 0.5 / 1e6 },
  /** $2.00 per 100,000: https://aws.amazon.com/sns/pricing/ */
  'sns-emails': { service: 'SNS', unit: 'mail delivered', usd: 2 / 100_000 },
} as const satisfies Record<string, ListPrice>;

export type BilledUnit = keyof typeof listPrices;
export type BilledUnits = Readonly<Partial<Record<BilledUnit, number>>>;

interface CostLine extends ListPrice {
  readonly name: BilledUnit;
  readonly count: number;
  /** US dollars for all of them. */
  readonly total: number;
}

export interface ListCost {
  /** US dollars. */
  readonly total: number;
  /** Dearest first; what was not used is left out. */
  readonly lines: readonly CostLine[];
}

export function listCost(units: BilledUnits): ListCost {
  const lines = (Object.entries(units) as [BilledUnit, number][])
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => {
      if (!(count > 0 && Number.isFinite(count)))
        throw new Error(`${name} counts ${count}: nothing is charged so`);
      const price = listPrices[name];
      return { name, ...price, count, total: count * price.usd };
    })
    .toSorted((a, b) => b.total - a.total);
  return { total: lines.reduce((sum, line) => sum + line.total, 0), lines };
}
