/** Owns answers that bring a part alone: what is left out was not refused, and has to be asked for again. */
import type { Answer, AwsCall, Fault } from '../proxy.ts';

interface KeysAndItems {
  readonly UnprocessedKeys?: object;
  readonly Responses?: Readonly<Record<string, readonly unknown[]>>;
}

/** By service and operation. */
const partial: Readonly<Record<string, (call: AwsCall, answer: Record<string, unknown>) => object>> = {
  // Some of the keys are left for another time, as over 16 MB or at a throttled partition.
  'dynamodb:BatchGetItem': ({ input }, answer) => {
    const { Responses = {} } = answer as KeysAndItems;
    const asked = input.RequestItems as Record<string, { Keys: Record<string, unknown>[] }>;
    const left = Object.fromEntries(
      Object.entries(asked).map(([table, { Keys, ...rest }]) => [table, { ...rest, Keys: Keys.slice(1) }]),
    );
    const isLeft = (table: string, item: unknown) =>
      (left[table]?.Keys ?? []).some((key) =>
        Object.entries(key).every(
          ([name, value]) =>
            JSON.stringify((item as Record<string, unknown>)[name]) === JSON.stringify(value),
        ),
      );
    return {
      ...answer,
      Responses: Object.fromEntries(
        Object.entries(Responses).map(([table, items]) => [
          table,
          items.filter((item) => !isLeft(table, item)),
        ]),
      ),
      UnprocessedKeys: Object.fromEntries(Object.entries(left).filter(([, { Keys }]) => Keys.length > 0)),
    };
  },
  // Run Command lists the servers of a command one after the other.
  'ssm:ListCommandInvocations': (_, answer) => ({
    ...answer,
    CommandInvocations: (answer.CommandInvocations as unknown[]).slice(1),
  }),
};

export const isPartial = ({ service, operation }: Pick<AwsCall, 'service' | 'operation'>): boolean =>
  `${service}:${operation}` in partial;

export function partialAnswer(call: AwsCall): Fault {
  const shorten = partial[`${call.service}:${call.operation}`];
  if (shorten === undefined) throw new Error(`${call.service}:${call.operation} is answered whole or not`);
  return {
    kind: 'change',
    change: ({ status, headers, body }: Answer) => ({
      status,
      // Of the whole answer; the SDK checks it.
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'x-amz-crc32')),
      body:
        status === 200 ? Buffer.from(JSON.stringify(shorten(call, JSON.parse(body.toString('utf8'))))) : body,
    }),
  };
}
