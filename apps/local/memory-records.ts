/** Owns the state store in memory: what simulations and tests of use-cases run on. */
import type { RecordKey, Records, StoredRecord } from '../../core/ports.ts';
import { storable } from '../../core/storable.ts';

interface Partition {
  readonly records: Map<string, StoredRecord>;
  /** Sort keys in order, but for those after `ordered`, which were added since. */
  sorts: string[];
  ordered: number;
}

/** Small on purpose: whoever forgets to ask for the next page is found out by tests. */
const defaultPage = 100;

export function createMemoryRecords(): Records {
  const partitions = new Map<string, Partition>();
  const dueShards = new Map<string, Map<string, StoredRecord>>();

  const find = (key: RecordKey) => partitions.get(key.partition)?.records.get(key.sort);

  const write = (record: StoredRecord, before: StoredRecord | undefined) => {
    let partition = partitions.get(record.key.partition);
    if (!partition) {
      partition = { records: new Map(), sorts: [], ordered: 0 };
      partitions.set(record.key.partition, partition);
    }
    if (!before) add(partition, record.key.sort);
    partition.records.set(record.key.sort, record);
    const id = JSON.stringify([record.key.partition, record.key.sort]);
    if (before?.due) dueShards.get(before.due.shard)?.delete(id);
    if (!record.due) return;
    const shard = dueShards.get(record.due.shard) ?? new Map<string, StoredRecord>();
    dueShards.set(record.due.shard, shard.set(id, record));
  };

  const records: Records = {
    async get(key) {
      return find(key);
    },

    async getMany(keys) {
      return keys.map(find);
    },

    async create(record) {
      const { bytes: _, ...kept } = storable(record);
      if (find(record.key)) return false;
      write(Object.freeze({ ...kept, revision: 1 }), undefined);
      return true;
    },

    async replace(record, expected) {
      const { bytes: _, ...kept } = storable(record);
      const before = find(record.key);
      if (before?.revision !== expected) return false;
      write(Object.freeze({ ...kept, revision: expected + 1 }), before);
      return true;
    },

    async list(name, { prefix = '', after, limit = defaultPage } = {}) {
      const partition = partitions.get(name);
      if (!partition) return { records: [] };
      const sorts = inOrder(partition);
      const from = after !== undefined && inUtf8Order(after, prefix) >= 0 ? after : undefined;
      let index = from === undefined ? firstAt(sorts, prefix) : firstAt(sorts, from);
      if (from !== undefined && sorts[index] === from) index++;
      const page: StoredRecord[] = [];
      for (; page.length < limit && sorts[index]?.startsWith(prefix); index++) {
        page.push(partition.records.get(sorts[index] as string) as StoredRecord);
      }
      const last = page.at(-1);
      return last && sorts[index]?.startsWith(prefix)
        ? { records: page, next: last.key.sort }
        : { records: page };
    },

    async listDue(shard, before, limit) {
      return [...(dueShards.get(shard)?.values() ?? [])]
        .filter(({ due }) => due && due.at <= before)
        .toSorted(byDueTime)
        .slice(0, limit);
    },
  };
  return records;
}

/** Appends, since most keys come in order and sorting each time would make 100,000 items slow. */
function add(partition: Partition, sort: string): void {
  const last = partition.sorts.at(-1);
  const inOrderStill = partition.ordered === partition.sorts.length;
  partition.sorts.push(sort);
  if (inOrderStill && (last === undefined || inUtf8Order(last, sort) < 0)) partition.ordered++;
}

function inOrder(partition: Partition): string[] {
  if (partition.ordered < partition.sorts.length) {
    partition.sorts.sort(inUtf8Order);
    partition.ordered = partition.sorts.length;
  }
  return partition.sorts;
}

/** Index of the first key that is not before `key`. */
function firstAt(sorts: readonly string[], key: string): number {
  let low = 0;
  let high = sorts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (inUtf8Order(sorts[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byDueTime(a: StoredRecord, b: StoredRecord): number {
  return inUtf8Order(a.due?.at ?? '', b.due?.at ?? '');
}

/**
 * DynamoDB orders keys by their UTF-8 bytes. JavaScript orders UTF-16 units, which is the same but for surrogates:
 * they stand for code points above all others, yet their units come before U+E000.
 */
function inUtf8Order(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
