/** Owns what DynamoDB would bill for the state store: request units by the size of each item, and the index's share. */
import type { RecordKey, Records, StoredRecord } from '../../core/ports.ts';
import { billedBytes } from '../../core/storable.ts';
import type { CostMeter } from './cost-meter.ts';

type Draft = Omit<StoredRecord, 'revision'>;

/**
 * Writes count by KB and strongly consistent reads by 4 KB, each rounded up; a write that is refused counts like one
 * that is not. Where an item shrinks, DynamoDB bills its size before, and this meter the size after.
 */
export function meteredRecords(records: Records, meter: CostMeter): Records {
  /** Entries of the due index, to know which writes touch it: it holds keys alone, so others do not. */
  const indexed = new Map<string, string>();

  const countWrite = (record: Draft, done: boolean) => {
    const units = Math.ceil(billedBytes(record) / 1024);
    meter.count('dynamodb:PutItem', { 'dynamodb-write-units': units + (done ? indexWrites(record) : 0) });
  };

  /** Moving an entry is a deletion and a put. */
  const indexWrites = (record: Draft): number => {
    const id = idOf(record.key);
    const before = indexed.get(id);
    const after = record.due && JSON.stringify([record.due.shard, record.due.at]);
    if (after === undefined) indexed.delete(id);
    else indexed.set(id, after);
    return before === after ? 0 : (before === undefined ? 0 : 1) + (after === undefined ? 0 : 1);
  };

  const countBatches = (keys: readonly RecordKey[], found: readonly (StoredRecord | undefined)[]) => {
    const distinct = new Map(keys.map((key, index) => [idOf(key), found[index]]));
    if (distinct.size === 0) return;
    const units = [...distinct.values()].reduce((sum, record) => sum + readUnits(record), 0);
    meter.count('dynamodb:BatchGetItem', { 'dynamodb-read-units': units }, Math.ceil(distinct.size / 100));
  };

  return {
    async get(key) {
      const record = await records.get(key);
      meter.count('dynamodb:GetItem', { 'dynamodb-read-units': readUnits(record) });
      return record;
    },

    async getMany(keys) {
      const found = await records.getMany(keys);
      countBatches(keys, found);
      return found;
    },

    async create(record) {
      const done = await records.create(record);
      countWrite(record, done);
      return done;
    },

    async replace(record, expected) {
      const done = await records.replace(record, expected);
      countWrite(record, done);
      return done;
    },

    async list(partition, options) {
      const page = await records.list(partition, options);
      const bytes = page.records.reduce((sum, record) => sum + billedBytes(record), 0);
      meter.count('dynamodb:Query', { 'dynamodb-read-units': Math.max(1, Math.ceil(bytes / 4096)) });
      return page;
    },

    async listDue(shard, before, limit) {
      const due = await records.listDue(shard, before, limit);
      const keyBytes = due.reduce((sum, { key, due: { at } = { at: '' } }) => {
        const attributes = 'pk'.length + 'sk'.length + 'dueShard'.length + 'dueAt'.length;
        return sum + attributes + Buffer.byteLength(key.partition + key.sort + shard + at);
      }, 0);
      // Eventually consistent: half a unit.
      meter.count('dynamodb:Query', { 'dynamodb-read-units': Math.max(1, Math.ceil(keyBytes / 4096)) / 2 });
      countBatches(
        due.map(({ key }) => key),
        due,
      );
      return due;
    },
  };
}

const idOf = (key: RecordKey) => JSON.stringify([key.partition, key.sort]);

/** What is not there costs as much as something small. */
function readUnits(record: StoredRecord | undefined): number {
  return record === undefined ? 1 : Math.ceil(billedBytes(record) / 4096);
}
