/** Owns the items that a distributed Map reads from an object: a JSON array, or one JSON value a line. */
import type { MapState } from './definition.ts';
import { StateFailure } from './errors.ts';
import type { Json } from './json.ts';
import type { Visit } from './visit.ts';

export async function readItems(visit: Visit, reader: NonNullable<MapState['reader']>): Promise<Json[]> {
  const bucket = await visit.evaluate(reader.bucket);
  const key = await visit.evaluate(reader.key);
  const most = reader.maxItems && (await visit.evaluate(reader.maxItems));
  const { frame } = visit;
  const failure = (why: string) =>
    new StateFailure('States.ItemReaderFailed', `s3://${bucket}/${key}: ${why}`);
  const body = await frame.busy(async () => {
    try {
      return await frame.run.services.objects.get(bucket, key);
    } catch (error) {
      throw failure(error instanceof Error ? error.message : String(error));
    }
  });
  const items = reader.lines ? readLines(body, failure) : readArray(body, failure);
  return most === undefined ? items : items.slice(0, most);
}

function readArray(body: string, failure: (why: string) => StateFailure): Json[] {
  const value = parse(body, 'the object', failure);
  if (!Array.isArray(value)) throw failure('the object is not a JSON array');
  return value;
}

function readLines(body: string, failure: (why: string) => StateFailure): Json[] {
  return body
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => parse(line, `line ${number}`, failure));
}

function parse(text: string, what: string, failure: (why: string) => StateFailure): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw failure(`${what} is not JSON`);
  }
}
