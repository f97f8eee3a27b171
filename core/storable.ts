/** Owns what a record may hold, so that every store refuses the same things, and how many bytes are billed for it. */
import type { StoredRecord } from './ports.ts';

type Draft = Omit<StoredRecord, 'revision'>;

export interface Storable extends Draft {
  /** Size as DynamoDB counts it: what its limit and its request units are about. */
  readonly bytes: number;
}

/** A record that no store takes; writing it again will not help. */
class NotStorable extends Error {
  readonly code = 'not-storable';

  constructor(message: string) {
    super(message);
    this.name = 'NotStorable';
  }
}

/** DynamoDB's largest item, 400 KB, names of attributes included. */
const largestItem = 400 * 1024;
/** DynamoDB's deepest nesting. */
const deepest = 32;
/** DynamoDB's numbers end short of 1e126, and nearer to zero than 1e-130 they vanish. */
const largestNumber = 1e126;
const smallestNumber = 1e-130;

/**
 * Checks a record and copies its body, so that nobody can change afterwards what was stored. Properties that are
 * `undefined` are left out, as JSON does; anything else that is not plain JSON is refused instead of guessed at.
 *
 * @throws NotStorable
 */
export function storable(record: Draft): Storable {
  const name = nameOf(record.key.partition, record.key.sort);
  checkKey(name, 'partition key', record.key.partition, 2048);
  checkKey(name, 'sort key', record.key.sort, 1024);
  if (record.due) checkKey(name, 'due shard', record.due.shard, 2048);
  const body = copy(record.body, 'body', 1, name);
  const bytes = billedBytes({ ...record, body });
  if (bytes > largestItem) {
    throw new NotStorable(
      `record ${name} is ${bytes} bytes and an item takes ${largestItem}: split it, or keep its body as an object`,
    );
  }
  return { key: record.key, body, ...(record.due && { due: record.due }), bytes };
}

function nameOf(partition: string, sort: string): string {
  return JSON.stringify(`${partition} / ${sort}`.slice(0, 200));
}

function checkKey(name: string, what: string, key: string, most: number): void {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > most) {
    throw new NotStorable(`${what} of record ${name} has ${bytes} bytes: give it 1 to ${most}`);
  }
}

function copy(value: unknown, path: string, depth: number, name: string): unknown {
  const refuse = (found: string, remedy: string) =>
    new NotStorable(`record ${name} holds ${found} at ${path}: ${remedy}`);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!isKept(value)) throw refuse(`the number ${value}`, 'store it as text');
      return value + 0; // -0 becomes 0, as it does in DynamoDB and JSON
    case 'object': {
      if (value === null) return null;
      if (depth > deepest) throw refuse(`more than ${deepest} levels`, 'flatten it');
      if (Array.isArray(value)) {
        return Object.freeze(
          Array.from(value, (item, index) => copy(item, `${path}[${index}]`, depth + 1, name)),
        );
      }
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) {
        throw refuse(`a ${value.constructor?.name ?? 'class instance'}`, 'store plain objects and arrays');
      }
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      if (entries.some(([key]) => key === '__proto__')) throw refuse('a key __proto__', 'rename it');
      return Object.freeze(
        Object.fromEntries(
          entries.map(([key, item]) => [key, copy(item, `${path}.${key}`, depth + 1, name)]),
        ),
      );
    }
    default:
      throw refuse(value === undefined ? 'undefined' : `a ${typeof value}`, 'store null or plain JSON');
  }
}

function isKept(value: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= smallestNumber && magnitude < largestNumber);
}

/**
 * Bytes of the item that DynamoDB keeps for a record: names and values of the attributes that
 * `lambdas/aws/table-shape.ts` names.
 */
export function billedBytes(record: Draft): number {
  const key =
    'pk'.length + Buffer.byteLength(record.key.partition) + 'sk'.length + Buffer.byteLength(record.key.sort);
  const own = 'revision'.length + 3 + 'writeId'.length + 16;
  const due = record.due ? 'dueShard'.length + Buffer.byteLength(record.due.shard) + 'dueAt'.length + 24 : 0;
  return key + own + due + 'body'.length + sizeOf(record.body);
}

/**
 * The rules of the DynamoDB developer guide, "DynamoDB item sizes and formats": strings in UTF-8, numbers a byte for
 * two digits and one more, null and boolean one byte, lists and maps three bytes and one more for each element.
 */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).replace(/\D/g, '').length / 2) + 1;
  if (Array.isArray(value)) return 3 + value.reduce((sum: number, item) => sum + 1 + sizeOf(item), 0);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).reduce(
      (sum, [key, item]) => sum + 1 + Buffer.byteLength(key) + sizeOf(item),
      3,
    );
  }
  return 1;
}
