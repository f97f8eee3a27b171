/** Owns a map run: one child execution for each item, how many may fail, and what the Map puts out. */
import type { MapState } from './definition.ts';
import { Interrupted, StateFailure } from './errors.ts';
import type { Child } from './execution.ts';
import { uuid } from './expression-functions.ts';
import type { Json } from './json.ts';
import { type ChildRecord, executionRecord, writeResults } from './result-writer.ts';
import type { Visit } from './visit.ts';

/** The most children of one map run that the service runs at once, and its default. */
const childLimit = 10_000;

export async function runDistributed(
  visit: Visit,
  state: MapState,
  inputs: readonly Json[],
  concurrency: number,
): Promise<Json> {
  const { run, line } = visit.frame;
  const writer = state.writer && {
    bucket: await visit.evaluate(state.writer.bucket),
    prefix: state.writer.prefix ? await visit.evaluate(state.writer.prefix) : '',
  };
  const tolerates = await toleranceOf(visit, state, inputs.length);
  const mapRunArn = `${arnOf(run.arn, 'mapRun')}:${run.machineName}/${state.label}:${uuid(run.services.random)}`;
  visit.record('MapRunStarted', { mapRunArn });

  const records: ChildRecord[] = [];
  const running = new Set<Child>();
  const stopAll = () => {
    for (const child of running) child.stop();
  };
  const forget = line.onEnd(stopAll);
  let next = 0;
  let failed = 0;
  const worker = async () => {
    while (next < inputs.length && tolerates(failed) && !line.ended) {
      const index = next++;
      const child = run.services.startChild(run, state.label, state.processor, inputs[index] ?? null);
      running.add(child);
      records[index] = await child.done;
      running.delete(child);
      if (records[index].status === 'SUCCEEDED') continue;
      failed++;
      if (!tolerates(failed)) stopAll();
    }
  };
  const workers = Math.min(concurrency || childLimit, childLimit, inputs.length);
  await Promise.all(Array.from({ length: workers }, worker));
  forget();
  if (line.ended) {
    visit.record('MapRunAborted');
    throw new Interrupted();
  }

  // Items whose child never started leave holes.
  const children = records.filter((record) => record !== undefined);
  try {
    const output = writer && (await write(visit, writer, mapRunArn, children));
    if (!tolerates(failed)) {
      throw new StateFailure(
        'States.ExceedToleratedFailureThreshold',
        'The specified tolerated failure threshold was exceeded',
      );
    }
    visit.record('MapRunSucceeded');
    return output ?? children.map((child) => child.output ?? executionRecord(child));
  } catch (failure) {
    if (failure instanceof StateFailure) {
      visit.record('MapRunFailed', { error: failure.error, cause: failure.cause });
    }
    throw failure;
  }
}

/** Exceeding either limit fails the map run; without any, the first failure does. */
async function toleranceOf(
  visit: Visit,
  state: MapState,
  total: number,
): Promise<(failed: number) => boolean> {
  const count = state.toleratedCount && (await visit.evaluate(state.toleratedCount));
  const percentage = state.toleratedPercentage && (await visit.evaluate(state.toleratedPercentage));
  if (count === undefined && percentage === undefined) return (failed) => failed === 0;
  return (failed) =>
    (count === undefined || failed <= count) &&
    (percentage === undefined || failed === 0 || (failed / total) * 100 <= percentage);
}

async function write(
  visit: Visit,
  place: { bucket: string; prefix: string },
  mapRunArn: string,
  children: readonly ChildRecord[],
): Promise<Json> {
  const { frame } = visit;
  const key = await frame.busy(async () => {
    try {
      return await writeResults(frame.run.services.objects, place, mapRunArn, children);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new StateFailure('States.ResultWriterFailed', `s3://${place.bucket}/${place.prefix}: ${why}`);
    }
  });
  return { MapRunArn: mapRunArn, ResultWriterDetails: { Bucket: place.bucket, Key: key } };
}

/** `arn:aws:states:<region>:<account>:<kind>` beside the execution that `arn` names. */
function arnOf(arn: string, kind: string): string {
  return [...arn.split(':').slice(0, 5), kind].join(':');
}
