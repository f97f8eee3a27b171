/** Owns the shape of the state table: its keys, its one index, and the names of its attributes. */

/**
 * The index of things to look at again is sparse, an item without `dueShard` and `dueAt` is not in it, and holds
 * keys alone: an item that is written again with the same due time then costs no index write, and the sweeper reads
 * the items themselves, strongly consistent, so that it never acts upon what the index remembers.
 */
export const dueIndex = 'due';

/** What CreateTable takes beside the name; the embedded host creates its table from it, and the stack reads it. */
export const tableShape = {
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'dueShard', AttributeType: 'S' },
    { AttributeName: 'dueAt', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: dueIndex,
      KeySchema: [
        { AttributeName: 'dueShard', KeyType: 'HASH' },
        { AttributeName: 'dueAt', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
} as const;
