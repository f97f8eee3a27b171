/** Owns snapshots of EBS volumes: taken of all volumes of an instance at one moment, and known by our tags. */
import {
  CreateSnapshotsCommand,
  type CreateSnapshotsCommandInput,
  type CreateSnapshotsCommandOutput,
  DeleteSnapshotCommand,
  type DeleteSnapshotCommandInput,
  DescribeSnapshotsCommand,
  type DescribeSnapshotsCommandInput,
  type DescribeSnapshotsCommandOutput,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { type Snapshot, snapshotSchema } from '../../core/backup.ts';
import { instantOf } from '../../core/instant.ts';
import { PortError, type SnapshotOrder, type Snapshots, type TakenSnapshot } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import { jobTag, orderOf, snapshotTags, tagsOf } from '../../core/snapshot-tags.ts';
import { ec2Error, isNotFound } from './ec2-errors.ts';
import { type Ec2Calls, instancesById } from './ec2-instances.ts';
import type { ClientLocation } from './place-clients.ts';
import { isNamed } from './ssm-errors.ts';

/** The calls of EC2 that this adapter makes, beside those about instances. */
export interface SnapshotCalls {
  createSnapshots(
    input: CreateSnapshotsCommandInput,
  ): Promise<Pick<CreateSnapshotsCommandOutput, 'Snapshots'>>;
  describeSnapshots(
    input: DescribeSnapshotsCommandInput,
  ): Promise<Pick<DescribeSnapshotsCommandOutput, 'Snapshots' | 'NextToken'>>;
  deleteSnapshot(input: DeleteSnapshotCommandInput): Promise<unknown>;
}

/** @param timeout milliseconds in which CreateSnapshots must be answered */
export function createSnapshotCalls(location: ClientLocation, timeout = 30_000): SnapshotCalls {
  const client = new EC2Client({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  // CreateSnapshots has no client token: a retry of the SDK could take them twice. Whoever calls looks first.
  const taking = new EC2Client({
    ...location,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5000, requestTimeout: timeout, throwOnRequestTimeout: true },
  });
  return {
    createSnapshots: (input) => taking.send(new CreateSnapshotsCommand(input)),
    describeSnapshots: (input) => client.send(new DescribeSnapshotsCommand(input)),
    deleteSnapshot: (input) => client.send(new DeleteSnapshotCommand(input)),
  };
}

/** Values that a filter takes at once. */
const filterSize = 50;

export function createEc2Snapshots(callsIn: (place: Place) => SnapshotCalls & Ec2Calls): Snapshots {
  return {
    async volumes(place, serverIds) {
      const calls = callsIn(place);
      const there = (await inSlices(serverIds, (ids) => instancesById(calls, ids))).filter(
        ({ isTerminated }) => !isTerminated,
      );
      return new Map(there.map(({ id, volumes }) => [id, volumes]));
    },

    async find(place, campaignId, serverIds) {
      const calls = callsIn(place);
      const found = await inSlices(serverIds, (ids) =>
        describe(calls, {
          Name: `tag:${snapshotTags.job}`,
          Values: ids.map((id) => jobTag(campaignId, id)),
        }),
      );
      return found.flatMap((snapshot) => ('why' in snapshot ? [] : [snapshot]));
    },

    async take(place, order) {
      try {
        const { Snapshots: taken = [] } = await callsIn(place).createSnapshots(inputOf(order));
        return taken.map((snapshot) => ({ ...order, ...snapshotOf(snapshot) }));
      } catch (error) {
        throw ec2Error('CreateSnapshots', error);
      }
    },

    async list(place) {
      const all = await describe(callsIn(place), { Name: 'tag-key', Values: [snapshotTags.campaign] });
      return {
        snapshots: all.flatMap((each) => ('why' in each ? [] : [each])),
        unread: all.flatMap((each) => ('why' in each ? [each] : [])),
      };
    },

    async delete(place, snapshotId) {
      try {
        await callsIn(place).deleteSnapshot({ SnapshotId: snapshotId });
        return 'deleted';
      } catch (error) {
        if (isNotFound(error)) return 'gone';
        if (isNamed(error, 'InvalidSnapshot.InUse')) return 'in-use';
        throw ec2Error('DeleteSnapshot', error);
      }
    },
  };
}

function inputOf(order: SnapshotOrder): CreateSnapshotsCommandInput {
  return {
    InstanceSpecification: { InstanceId: order.serverId },
    Description: `Quarterdeck, before the patch of ${order.serverId} by ${order.campaignId}`,
    // Not those of the volumes: among them may be one by which somebody else deletes snapshots.
    TagSpecifications: [
      {
        ResourceType: 'snapshot',
        Tags: Object.entries(tagsOf(order)).map(([Key, Value]) => ({ Key, Value })),
      },
    ],
  };
}

type Described = NonNullable<DescribeSnapshotsCommandOutput['Snapshots']>[number];
type Unread = { readonly snapshotId: string; readonly why: string };

async function describe(
  calls: SnapshotCalls,
  filter: NonNullable<DescribeSnapshotsCommandInput['Filters']>[number],
): Promise<(TakenSnapshot | Unread)[]> {
  const found: (TakenSnapshot | Unread)[] = [];
  let NextToken: string | undefined;
  do {
    const page = await calls.describeSnapshots({
      // Tags of what others share with us are theirs.
      OwnerIds: ['self'],
      Filters: [filter],
      MaxResults: 1000,
      ...(NextToken && { NextToken }),
    });
    found.push(...(page.Snapshots ?? []).map(taggedOf));
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

function taggedOf(described: Described): TakenSnapshot | Unread {
  const { Tags = [], SnapshotId: snapshotId = '' } = described;
  const order = orderOf(Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])));
  return 'why' in order ? { snapshotId, ...order } : { ...order, ...snapshotOf(described) };
}

const states = snapshotSchema.shape.state;

/** @throws PortError `ambiguous`: EC2 has made something that it does not name */
function snapshotOf({
  SnapshotId,
  VolumeId,
  State,
  StartTime,
  Encrypted,
}: Omit<Described, 'Progress'>): Omit<Snapshot, 'device' | 'root'> {
  if (SnapshotId === undefined || VolumeId === undefined || StartTime === undefined)
    throw new PortError('ambiguous', `EC2 told of a snapshot without its id, volume or time: ${SnapshotId}`);
  return {
    snapshotId: SnapshotId,
    volumeId: VolumeId,
    // Not said, it has just begun.
    state: states.parse(State ?? 'pending'),
    startedAt: instantOf(StartTime.getTime()),
    encrypted: Encrypted === true,
  };
}

async function inSlices<T>(
  ids: readonly string[],
  look: (ids: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const found: T[] = [];
  for (let start = 0; start < ids.length; start += filterSize)
    found.push(...(await look(ids.slice(start, start + filterSize))));
  return found;
}
