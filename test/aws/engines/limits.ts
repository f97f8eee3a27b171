/**
 * Owns what the second engine cannot run, as small definitions with the reason. A test holds that each still fails:
 * what moto learns leaves this list and joins the comparison.
 */
import type { JsonObject } from '../../../apps/local/asl/json.ts';
import type { Rehearsal } from './rehearsal.ts';
import { distributedMap, machine, rehearsal } from './small.ts';

const item = { I: { Type: 'Pass', End: true } };
const reading = (InputType: string): JsonObject => ({
  ItemReader: {
    Resource: 'arn:aws:states:::s3:getObject',
    ReaderConfig: { InputType },
    Arguments: { Bucket: 'bucket', Key: 'key' },
  },
  End: true,
});

/** What moto's parser refuses, as it stands in the definition. */
export const refused: Readonly<Record<string, { readonly reason: string; readonly definition: JsonObject }>> =
  {
    'a whole ToleratedFailurePercentage': {
      reason: 'Its grammar asks for a number with a point.',
      definition: machine({
        A: distributedMap(item, { Items: [], ToleratedFailurePercentage: 100, End: true }),
      }),
    },
    'Arguments in a ResultWriter': {
      reason: 'Its grammar knows Parameters only.',
      definition: machine({
        A: distributedMap(item, {
          Items: [],
          ResultWriter: {
            Resource: 'arn:aws:states:::s3:putObject',
            Arguments: { Bucket: 'bucket', Prefix: 'results' },
          },
          End: true,
        }),
      }),
    },
    'an ItemReader of JSON lines': {
      reason: 'It reads JSON, CSV and MANIFEST.',
      definition: machine({ A: distributedMap(item, reading('JSONL')) }),
    },
    'an ItemBatcher': {
      reason: 'Its grammar has none; our engine has none either, and refuses it.',
      definition: machine({
        A: distributedMap(item, { Items: [], ItemBatcher: { MaxItemsPerBatch: 2 }, End: true }),
      }),
    },
  };

/** What moto takes and does not do; `output` is what it should be. */
export const undone: Readonly<
  Record<string, { readonly reason: string; readonly rehearsal: Rehearsal; readonly output: unknown }>
> = {
  $hash: {
    reason: 'It answers with an apology.',
    rehearsal: rehearsal({ A: { Type: 'Pass', Output: "{% [$hash('abc', 'MD5')] %}", End: true } }),
    output: ['900150983cd24fb0d6963f7d28e17f72'],
  },
  $uuid: {
    reason: 'It answers with an apology.',
    rehearsal: rehearsal({ A: { Type: 'Pass', Output: '{% [$length($uuid())] %}', End: true } }),
    output: [36],
  },
};
