/** Owns the compilation of a Map: its items and results, and which of its fields need distributed mode. */
import type { Block, MapState } from './definition.ts';
import { processorSchema, type StateShape } from './definition-schema.ts';
import { type FieldCompiler, list, percentage, text, wholeFrom } from './field-compiler.ts';

type MapShape = Extract<StateShape, { Type: 'Map' }>;

const onlyDistributed = [
  'ItemReader',
  'ResultWriter',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
  'Label',
] as const;

/** @param block compiles the states inside; told whether they run as executions of their own */
export function compileMap(
  fields: FieldCompiler,
  name: string,
  shape: MapShape,
  block: (states: { StartAt: string; States: Record<string, unknown> }, distributed: boolean) => Block,
): MapState {
  const processor = fields.check(processorSchema, shape.ItemProcessor, `${name}: ItemProcessor`);
  const distributed = processor?.ProcessorConfig?.Mode === 'DISTRIBUTED';
  for (const field of onlyDistributed) {
    if (!distributed && shape[field] !== undefined) {
      fields.problems.push(`${name}: ${field} needs an ItemProcessor of mode DISTRIBUTED`);
    }
  }
  if (shape.Items !== undefined && shape.ItemReader) {
    fields.problems.push(`${name}: Items and ItemReader exclude each other`);
  }
  return {
    type: 'Map',
    name,
    ...fields.handled(name, shape),
    processor: processor ? block(processor, distributed) : { startAt: '', states: new Map() },
    distributed,
    label: shape.Label ?? name.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40),
    ...fields.optional('items', name, 'Items', shape.Items, list),
    ...reader(fields, name, shape),
    ...(shape.ItemSelector === undefined
      ? {}
      : { selector: fields.template(name, 'ItemSelector', shape.ItemSelector) }),
    ...fields.optional('maxConcurrency', name, 'MaxConcurrency', shape.MaxConcurrency, wholeFrom(0)),
    ...fields.optional(
      'toleratedCount',
      name,
      'ToleratedFailureCount',
      shape.ToleratedFailureCount,
      wholeFrom(0),
    ),
    ...fields.optional(
      'toleratedPercentage',
      name,
      'ToleratedFailurePercentage',
      shape.ToleratedFailurePercentage,
      percentage,
    ),
    ...writer(fields, name, shape),
  };
}

function reader(fields: FieldCompiler, name: string, shape: MapShape): Pick<MapState, 'reader'> {
  const { ItemReader } = shape;
  if (!ItemReader) return {};
  const { Arguments, ReaderConfig } = ItemReader;
  return {
    reader: {
      lines: ReaderConfig.InputType === 'JSONL',
      bucket: fields.required(name, 'ItemReader/Arguments/Bucket', Arguments.Bucket, text),
      key: fields.required(name, 'ItemReader/Arguments/Key', Arguments.Key, text),
      ...fields.optional(
        'maxItems',
        name,
        'ItemReader/ReaderConfig/MaxItems',
        ReaderConfig.MaxItems,
        wholeFrom(1),
      ),
    },
  };
}

function writer(fields: FieldCompiler, name: string, shape: MapShape): Pick<MapState, 'writer'> {
  const { ResultWriter } = shape;
  if (!ResultWriter) return {};
  const { Bucket, Prefix } = ResultWriter.Arguments;
  return {
    writer: {
      bucket: fields.required(name, 'ResultWriter/Arguments/Bucket', Bucket, text),
      ...fields.optional('prefix', name, 'ResultWriter/Arguments/Prefix', Prefix, text),
    },
  };
}
