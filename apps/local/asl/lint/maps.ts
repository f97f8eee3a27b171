/** Owns the lints of Map states: the fields of readers, batchers and writers, and what only distributed mode has. */
import { expressionIn } from '../expression.ts';
import { isObject } from '../json.ts';
import { type Finding, isDistributed, type RawState, type Scope } from './scope.ts';

interface Field {
  readonly required?: boolean;
  /** What is wrong with the value, if anything. Expressions are not asked. */
  check?(value: unknown): string | undefined;
}
type Fields = Readonly<Record<string, Field>>;

const anything: Field = {};
const needed: Field = { required: true };
const oneOf = (...values: string[]): Field => ({
  check: (value) => (values.includes(String(value)) ? undefined : `must be one of ${values.join(', ')}`),
});
const whole = (most: number): Field => ({
  check: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
      ? undefined
      : `must be a whole number from 1 to ${most}, or an expression`,
});

const reader: Fields = { Resource: needed, Arguments: needed, ReaderConfig: anything };
const readerArguments: Readonly<Record<string, Fields>> = {
  'arn:aws:states:::s3:getObject': {
    Bucket: needed,
    Key: needed,
    VersionId: anything,
    ExpectedBucketOwner: anything,
  },
  'arn:aws:states:::s3:listObjectsV2': { Bucket: needed, Prefix: anything, ExpectedBucketOwner: anything },
};
const csvOnly = ['CSVHeaderLocation', 'CSVHeaders', 'CSVDelimiter'];
const readerConfig: Fields = {
  InputType: { required: true, ...oneOf('CSV', 'JSON', 'JSONL', 'PARQUET', 'MANIFEST') },
  MaxItems: whole(100_000_000),
  Transformation: oneOf('NONE', 'LOAD_AND_FLATTEN'),
  ManifestType: oneOf('ATHENA_DATA', 'S3_INVENTORY'),
  ItemsPointer: anything,
  ...Object.fromEntries(csvOnly.map((name) => [name, anything])),
};
const batcher: Fields = {
  MaxItemsPerBatch: whole(100_000_000),
  MaxInputBytesPerBatch: whole(262_144),
  BatchInput: anything,
};
const writer: Fields = { Resource: anything, Arguments: anything, WriterConfig: anything };
const writerArguments: Fields = { Bucket: needed, Prefix: anything, ExpectedBucketOwner: anything };
const writerConfig: Fields = {
  Transformation: { required: true, ...oneOf('NONE', 'COMPACT', 'FLATTEN') },
  OutputType: { required: true, ...oneOf('JSON', 'JSONL') },
};

const distributedOnly = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
  'Label',
];

export function lintMaps(scope: Scope): Finding[] {
  return Object.entries(scope.states)
    .filter(([, state]) => state.Type === 'Map')
    .flatMap(([name, state]) => new MapLint(name, state).run());
}

class MapLint {
  readonly #name: string;
  readonly #state: RawState;
  readonly #findings: Finding[] = [];

  constructor(name: string, state: RawState) {
    this.#name = name;
    this.#state = state;
  }

  run(): Finding[] {
    const { ItemReader, ItemBatcher, ResultWriter } = this.#state;
    if (!isDistributed(this.#state)) this.#inline();
    else if (this.#state.MaxConcurrency === undefined) {
      this.#add('MaxConcurrency', 'is missing: without it the service starts 10,000 children at once');
    }
    if (ItemReader !== undefined) this.#reader(ItemReader);
    if (ItemBatcher !== undefined) this.#batcher(ItemBatcher);
    if (ResultWriter !== undefined) this.#writer(ResultWriter);
    return this.#findings;
  }

  #inline(): void {
    for (const field of distributedOnly) {
      if (this.#state[field] !== undefined)
        this.#add(field, 'does nothing in INLINE mode: it needs DISTRIBUTED');
    }
  }

  #reader(value: unknown): void {
    if (!this.#fields('ItemReader', value, reader)) return;
    const resource = String(value.Resource);
    const expected = readerArguments[resource];
    if (!expected) this.#add('ItemReader/Resource', `is ${resource}, which reads no items`);
    else this.#fields('ItemReader/Arguments', value.Arguments, expected);
    const config = value.ReaderConfig;
    if (config === undefined) {
      if (resource.endsWith('getObject'))
        this.#add('ItemReader/ReaderConfig', 'is missing: say the InputType');
      return;
    }
    if (!this.#fields('ItemReader/ReaderConfig', config, readerConfig)) return;
    for (const field of csvOnly) {
      if (config[field] !== undefined && config.InputType !== 'CSV') {
        this.#add(`ItemReader/ReaderConfig/${field}`, 'is for InputType CSV');
      }
    }
  }

  #batcher(value: unknown): void {
    if (!this.#fields('ItemBatcher', value, batcher)) return;
    if (value.MaxItemsPerBatch === undefined && value.MaxInputBytesPerBatch === undefined) {
      this.#add('ItemBatcher', 'needs MaxItemsPerBatch or MaxInputBytesPerBatch');
    }
  }

  #writer(value: unknown): void {
    if (!this.#fields('ResultWriter', value, writer)) return;
    const exports = value.Resource !== undefined || value.Arguments !== undefined;
    if (!exports && value.WriterConfig === undefined) {
      this.#add('ResultWriter', 'is empty: it needs Resource and Arguments, or WriterConfig');
    }
    if (exports) {
      if (value.Resource !== 'arn:aws:states:::s3:putObject') {
        this.#add('ResultWriter/Resource', 'must be arn:aws:states:::s3:putObject');
      }
      this.#fields('ResultWriter/Arguments', value.Arguments, writerArguments);
    }
    if (value.WriterConfig !== undefined)
      this.#fields('ResultWriter/WriterConfig', value.WriterConfig, writerConfig);
  }

  /** Whether `value` is an object at all; reports what it should not or should have. */
  #fields(path: string, value: unknown, fields: Fields): value is RawState {
    if (!isObject(value)) {
      this.#add(path, 'must be an object');
      return false;
    }
    for (const [key, item] of Object.entries(value)) {
      const field = fields[key];
      if (!field)
        this.#add(`${path}/${key}`, `is not a field here: there are ${Object.keys(fields).join(', ')}`);
      else if (typeof item !== 'string' || expressionIn(item) === undefined) {
        const problem = field.check?.(item);
        if (problem) this.#add(`${path}/${key}`, problem);
      }
    }
    for (const [key, field] of Object.entries(fields)) {
      if (field.required && value[key] === undefined) this.#add(`${path}/${key}`, 'is missing');
    }
    return true;
  }

  #add(path: string, message: string): void {
    this.#findings.push({ state: this.#name, path, message });
  }
}
