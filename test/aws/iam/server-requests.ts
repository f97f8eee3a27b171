/** Owns what a server asks S3 for while the documents prepare, patch and verify it, with a hook and a backup: recorded on a shim host. */
import { createEndpoints } from '../../../apps/local/aws/endpoints.ts';
import type { Host } from '../../../apps/local/hosts/host.ts';
import { createShimFleet } from '../../../apps/local/hosts/shim.ts';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { hookSchema } from '../../../core/hook.ts';
import { sha256Of } from '../../../core/plan.ts';
import { backupPrefix, serverPrefix } from '../../../core/result-object.ts';
import type { Place } from '../../../core/server.ts';
import { backupBucket, bucket, createTrials, place } from '../../support/document-trials.ts';
import type { AccessRequest } from './request.ts';

/** Keys, by what was done with them. */
export interface ServerCalls {
  readonly read: readonly string[];
  readonly written: readonly string[];
  /** In the backup bucket. */
  readonly backedUp: readonly string[];
}

const recorded = { id: 'i-0123456789abcdef0', place };

export async function recordServer(): Promise<ServerCalls> {
  const objects = createMemoryObjects(bucket, place.region);
  const read: string[] = [];
  const written: string[] = [];
  const backups = createMemoryObjects(backupBucket, place.region);
  const backedUp: string[] = [];
  const endpoints = createEndpoints({
    objects: {
      ...objects,
      get(key) {
        read.push(key);
        return objects.get(key);
      },
      put(key, content) {
        written.push(key);
        return objects.put(key, content);
      },
    },
    backups: {
      ...backups,
      put(key, content) {
        backedUp.push(key);
        return backups.put(key, content);
      },
    },
    clock: { now: () => Date.now() },
  });
  const fleet = await createShimFleet({
    servers: [{ id: recorded.id, name: 'shim' }],
    endpoints: () => endpoints.listenersFor(recorded),
    failing: undefined,
  });
  try {
    const host = fleet.hosts[0] as Host;
    const { prepare, run } = createTrials(objects);
    const { plan } = await prepare(host);
    const script = '#!/bin/sh\n';
    await objects.put('hooks/drain.sh', script);
    const object = { object: 'hooks/drain.sh', sha256: sha256Of(script) };
    await run(host, 'patch', {
      plan,
      asked: { hooks: [hookSchema.parse({ name: 'drain', when: 'before-patch', run: object })] },
      terms: { never: [], backup: { paths: ['/etc'], exclude: [] } },
      parameters: { Backup: 'required', BackupBucket: backupBucket },
    });
    await run(host, 'verify', { plan });
    return { read, written, backedUp };
  } finally {
    await fleet.close();
  }
}

export interface AskingServer {
  readonly id: string;
  readonly place: Place;
  /** ARN of the role that it has. */
  readonly role: string;
  /** Unique id of that role. */
  readonly roleId: string;
}

export interface CampaignStore {
  readonly account: string;
  readonly bucketArn: string;
  readonly keyArn: string;
  readonly backupBucketArn: string;
  readonly backupKeyArn: string;
}

/** The same calls, made by another server. */
export function serverRequests(
  { read, written, backedUp }: ServerCalls,
  server: AskingServer,
  { account, bucketArn, keyArn, backupBucketArn, backupKeyArn }: CampaignStore,
): AccessRequest[] {
  const own = serverPrefix(server, server.roleId);
  const keyOf = (key: string) =>
    key
      .replace(serverPrefix(recorded), own)
      .replace(backupPrefix(recorded), backupPrefix(server, server.roleId));
  const isHybrid = server.id.startsWith('mi-');
  const identity = {
    'aws:userid': `${server.roleId}:${server.id}`,
    // EC2 says which instance its role's credentials were given to.
    ...(!isHybrid && { 'ec2:SourceInstanceARN': own.replace(/^servers\//, '') }),
  };
  const request = (action: string, resource: string, context: AccessRequest['context']): AccessRequest => ({
    principal: server.role,
    action,
    resource,
    account,
    context: { ...identity, ...context },
    from: `documents on ${server.id}`,
  });
  const region = keyArn.split(':')[3] ?? '';
  const inS3 = { 's3:ResourceAccount': account };
  const throughS3 = { 'kms:ViaService': `s3.${region}.amazonaws.com` };
  return [
    ...read.flatMap((key) => [
      request('s3:GetObject', `${bucketArn}/${keyOf(key)}`, inS3),
      request('kms:Decrypt', keyArn, throughS3),
    ]),
    ...written.flatMap((key) => [
      request('s3:PutObject', `${bucketArn}/${keyOf(key)}`, inS3),
      request('kms:GenerateDataKey', keyArn, throughS3),
    ]),
    ...backedUp.flatMap((key) => [
      request('s3:PutObject', `${backupBucketArn}/${keyOf(key)}`, inS3),
      request('kms:GenerateDataKey', backupKeyArn, throughS3),
    ]),
  ];
}
