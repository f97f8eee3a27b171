/** Owns what a sync sees of a place: the nodes that carry the opt-in tag, with their tags and platform. */
import type { AwsNode } from '../../core/inventory/seen-server.ts';
import { inParallel } from '../../core/parallel.ts';
import type { Place } from '../../core/server.ts';
import { type Ec2Calls, instancesByTag, type Tag } from './ec2-instances.ts';
import { type NodeCalls, nodes, nodeTags } from './ssm-nodes.ts';

/** ListTagsForResource takes one node, and its limit of calls is low. */
const tagsAtOnce = 4;

export interface SeenNodesOptions {
  readonly callsIn: (place: Place) => Ec2Calls & NodeCalls;
  readonly optIn: Tag;
}

/** EC2 shows stopped instances, too, which SSM leaves out after a while. */
export function createSeenNodes({ callsIn, optIn }: SeenNodesOptions): (place: Place) => Promise<AwsNode[]> {
  return async (place) => {
    const calls = callsIn(place);
    const managed = await nodes(calls, { Key: `tag:${optIn.key}`, Values: [optIn.value] });
    const byId = new Map(managed.map((node) => [node.id, node]));
    const instances = (await instancesByTag(calls, optIn)).filter(({ isTerminated }) => !isTerminated);
    const hybrid = await inParallel(
      managed.filter(({ id }) => !id.startsWith('i-')),
      tagsAtOnce,
      async ({ id }) => ({ id, tags: await nodeTags(calls, id), isMetal: undefined }),
    );
    return [...instances, ...hybrid].map(({ id, tags, isMetal }): AwsNode => {
      const node = byId.get(id);
      return {
        instanceId: id,
        ...place,
        tags,
        ...(isMetal !== undefined && { metal: isMetal }),
        ...(node && {
          computerName: node.name,
          platformName: node.platform,
          platformVersion: node.version,
        }),
      };
    });
  };
}
