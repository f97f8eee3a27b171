/** Owns the reading of what SSM manages: which nodes have an agent, whether it answers, and the tags of hybrid ones. */
import {
  DescribeInstanceInformationCommand,
  type DescribeInstanceInformationCommandInput,
  type DescribeInstanceInformationCommandOutput,
  ListTagsForResourceCommand,
  type ListTagsForResourceCommandInput,
  type ListTagsForResourceCommandOutput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { type Instant, instantOf } from '../../core/instant.ts';
import type { ClientLocation } from './place-clients.ts';
import { isNamed } from './ssm-errors.ts';

/** The calls of SSM that this adapter makes. */
export interface NodeCalls {
  describeInstanceInformation(
    input: DescribeInstanceInformationCommandInput,
  ): Promise<Pick<DescribeInstanceInformationCommandOutput, 'InstanceInformationList' | 'NextToken'>>;
  listTagsForResource(
    input: ListTagsForResourceCommandInput,
  ): Promise<Pick<ListTagsForResourceCommandOutput, 'TagList'>>;
}

export function createNodeCalls(location: ClientLocation): NodeCalls {
  const client = new SSMClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    describeInstanceInformation: (input) => client.send(new DescribeInstanceInformationCommand(input)),
    listTagsForResource: (input) => client.send(new ListTagsForResourceCommand(input)),
  };
}

export interface Node {
  readonly id: string;
  readonly isOnline: boolean;
  readonly name: string;
  /** As the agent says it: `Debian GNU/Linux`, `Amazon Linux`. */
  readonly platform: string;
  /** Of the platform: `12`, `2023`. */
  readonly version: string;
  /** When its agent was heard of last, by the clock of SSM; null where that is not said. */
  readonly seenAt: Instant | null;
}

export type NodeFilter = NonNullable<DescribeInstanceInformationCommandInput['Filters']>[number];

/** Nodes that were stopped for long are left out by SSM. */
export async function nodes(calls: NodeCalls, filter: NodeFilter): Promise<Node[]> {
  const found: Node[] = [];
  let NextToken: string | undefined;
  do {
    const page = await calls.describeInstanceInformation({
      Filters: [filter],
      MaxResults: 50,
      ...(NextToken !== undefined && { NextToken }),
    });
    for (const node of page.InstanceInformationList ?? []) {
      const { InstanceId, PingStatus, ComputerName, Name, PlatformName, PlatformVersion } = node;
      const { LastPingDateTime } = node;
      if (InstanceId === undefined) continue;
      found.push({
        id: InstanceId,
        isOnline: PingStatus === 'Online',
        name: Name ?? ComputerName ?? InstanceId,
        platform: PlatformName ?? '',
        version: PlatformVersion ?? '',
        seenAt: LastPingDateTime === undefined ? null : instantOf(LastPingDateTime.getTime()),
      });
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== '');
  return found;
}

/** Tags of a hybrid node; those of an EC2 instance are EC2's. */
export async function nodeTags(calls: NodeCalls, id: string): Promise<Record<string, string>> {
  try {
    const { TagList = [] } = await calls.listTagsForResource({
      ResourceType: 'ManagedInstance',
      ResourceId: id,
    });
    return Object.fromEntries(TagList.map(({ Key = '', Value = '' }) => [Key, Value]));
  } catch (error) {
    if (isNamed(error, 'InvalidResourceId')) return {};
    throw error;
  }
}
