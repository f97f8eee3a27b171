/** Owns the reading of EC2 instances: which exist, in which state, with which tags and disks. */
import {
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  type DescribeInstancesCommandOutput,
  EC2Client,
  type Instance,
} from '@aws-sdk/client-ec2';
import type { Volume } from '../../core/ports.ts';
import type { ClientLocation } from './place-clients.ts';

/** The call of EC2 that this adapter makes. */
export interface Ec2Calls {
  describeInstances(
    input: DescribeInstancesCommandInput,
  ): Promise<Pick<DescribeInstancesCommandOutput, 'Reservations' | 'NextToken'>>;
}

export function createEc2Calls(location: ClientLocation): Ec2Calls {
  const client = new EC2Client({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return { describeInstances: (input) => client.send(new DescribeInstancesCommand(input)) };
}

export interface Ec2Instance {
  readonly id: string;
  /** As EC2 names it: `running`, `stopped`. */
  readonly state: string;
  readonly isTerminated: boolean;
  readonly isMetal: boolean;
  /** EBS volumes that are attached, or are just being. */
  readonly volumes: readonly Volume[];
  readonly tags: Readonly<Record<string, string>>;
}

/** By filter and not by id: for one id that is unknown the call by ids is refused as a whole. */
export function instancesById(calls: Ec2Calls, ids: readonly string[]): Promise<Ec2Instance[]> {
  return instances(calls, [{ Name: 'instance-id', Values: [...ids] }]);
}

export function instancesByTag(calls: Ec2Calls, tag: Tag): Promise<Ec2Instance[]> {
  return instances(calls, [{ Name: `tag:${tag.key}`, Values: [literal(tag.value)] }]);
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** @param text `key=value`, as the stack gives it to the functions */
export function parseTag(text: string): Tag {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`the opt-in tag ${JSON.stringify(text)} is not of the form key=value`);
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

/** Values of a filter know wildcards, and a tag may contain them. */
function literal(value: string): string {
  return value.replaceAll(/[*?\\]/g, '\\$&');
}

async function instances(
  calls: Ec2Calls,
  Filters: NonNullable<DescribeInstancesCommandInput['Filters']>,
): Promise<Ec2Instance[]> {
  const found: Ec2Instance[] = [];
  let NextToken: string | undefined;
  do {
    const page = await calls.describeInstances({ Filters, ...(NextToken !== undefined && { NextToken }) });
    for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances)) {
      const { InstanceId, InstanceType = '', State, Tags = [] } = instance;
      if (InstanceId === undefined) continue;
      found.push({
        id: InstanceId,
        state: State?.Name ?? '',
        isTerminated: State?.Name === 'terminated' || State?.Name === 'shutting-down',
        // `m7i.metal-24xl`, `mac2.metal`.
        isMetal: /\.metal(-|$)/.test(InstanceType),
        volumes: volumesOf(instance),
        tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
      });
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== '');
  return found;
}

function volumesOf({ RootDeviceName, BlockDeviceMappings = [] }: Instance): Volume[] {
  return BlockDeviceMappings.flatMap(({ DeviceName = '', Ebs }) =>
    Ebs?.VolumeId === undefined
      ? []
      : [{ volumeId: Ebs.VolumeId, device: DeviceName, root: DeviceName === RootDeviceName }],
  );
}
