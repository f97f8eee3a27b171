/** Owns the files that a distributed Map leaves in a bucket: a manifest, and the executions by how they ended. */
import type { ExecutionStatus } from './execution.ts';
import type { ObjectStore } from './frame.ts';
import { isoInstant } from './instant.ts';
import type { Json, JsonObject } from './json.ts';

/** A child as it ended; PENDING holds those that were running when their map run ended. */
export interface ChildRecord {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly status: ExecutionStatus;
  readonly input: Json;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
  readonly startTime: number;
  readonly stopTime: number;
}

/** The form of an execution in the result files: input and output as JSON text, like DescribeExecution. */
export function executionRecord(child: ChildRecord): JsonObject {
  const succeeded = child.status === 'SUCCEEDED';
  return {
    ...(child.cause === undefined ? {} : { Cause: child.cause }),
    ...(child.error === undefined ? {} : { Error: child.error }),
    ExecutionArn: child.arn,
    Input: JSON.stringify(child.input),
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.output === undefined
      ? {}
      : { Output: JSON.stringify(child.output), OutputDetails: { Included: true } }),
    RedriveCount: 0,
    RedriveStatus: succeeded ? 'NOT_REDRIVABLE' : 'REDRIVABLE_BY_MAP_RUN',
    ...(succeeded ? { RedriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven' } : {}),
    StartDate: isoInstant(child.startTime),
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    StopDate: isoInstant(child.stopTime),
  };
}

/** Writes the files and returns the manifest's key. */
export async function writeResults(
  objects: ObjectStore,
  place: { readonly bucket: string; readonly prefix: string },
  mapRunArn: string,
  children: readonly ChildRecord[],
): Promise<string> {
  const id = mapRunArn.slice(mapRunArn.lastIndexOf(':') + 1);
  const folder = [place.prefix.replace(/\/+$/, ''), id].filter(Boolean).join('/');
  const groups = {
    FAILED: children.filter(({ status }) => status === 'FAILED' || status === 'TIMED_OUT'),
    PENDING: children.filter(({ status }) => status === 'ABORTED'),
    SUCCEEDED: children.filter(({ status }) => status === 'SUCCEEDED'),
  };
  const files: JsonObject = {};
  for (const [group, members] of Object.entries(groups)) {
    files[group] = [];
    if (members.length === 0) continue;
    const key = `${folder}/${group}_0.json`;
    const body = JSON.stringify(members.map(executionRecord));
    await objects.put(place.bucket, key, body);
    files[group] = [{ Key: key, Size: Buffer.byteLength(body, 'utf8') }];
  }
  const manifest = `${folder}/manifest.json`;
  await objects.put(
    place.bucket,
    manifest,
    JSON.stringify({ DestinationBucket: place.bucket, MapRunArn: mapRunArn, ResultFiles: files }),
  );
  return manifest;
}
