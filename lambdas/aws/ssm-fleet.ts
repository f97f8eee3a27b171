/** Owns what is known of the servers' presence, and that a server without the opt-in tag is none of ours. */
import { inParallel } from '../../core/parallel.ts';
import type { Fleet, Presence } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import { type Ec2Calls, instancesById, type Tag } from './ec2-instances.ts';
import { type NodeCalls, nodes, nodeTags } from './ssm-nodes.ts';

export interface SsmFleetOptions {
  readonly callsIn: (place: Place) => Ec2Calls & NodeCalls;
  readonly optIn: Tag;
}

/** Values that a filter takes at once. */
const filterSize = 50;

/**
 * A server that lost the tag after its campaign was made counts as gone: whoever takes the tag away says that it is
 * not to be patched, and may do so at any time.
 */
export function createSsmFleet({ callsIn, optIn }: SsmFleetOptions): Fleet {
  return {
    async presence(place, serverIds) {
      const calls = callsIn(place);
      const found = new Map<string, Presence>();
      for (let start = 0; start < serverIds.length; start += filterSize) {
        const ids = serverIds.slice(start, start + filterSize);
        const answers = new Map(
          (await nodes(calls, { Key: 'InstanceIds', Values: ids })).map((node) => [node.id, node.isOnline]),
        );
        const ours = await optedIn(calls, ids, answers, optIn);
        for (const id of ids)
          found.set(id, !ours.has(id) ? 'gone' : answers.get(id) === true ? 'online' : 'offline');
      }
      return found;
    },
  };
}

/** Those that exist and carry the tag. A hybrid node exists for as long as SSM knows it. */
async function optedIn(
  calls: Ec2Calls & NodeCalls,
  ids: readonly string[],
  known: ReadonlyMap<string, boolean>,
  optIn: Tag,
): Promise<ReadonlySet<string>> {
  const carriesTag = (tags: Readonly<Record<string, string>>) => tags[optIn.key] === optIn.value;
  const instanceIds = ids.filter((id) => id.startsWith('i-'));
  const instances = instanceIds.length > 0 ? await instancesById(calls, instanceIds) : [];
  const hybridIds = ids.filter((id) => !id.startsWith('i-') && known.has(id));
  const hybrid = await inParallel(hybridIds, 4, async (id) => ({ id, tags: await nodeTags(calls, id) }));
  return new Set(
    [...instances.filter(({ isTerminated }) => !isTerminated), ...hybrid]
      .filter(({ tags }) => carriesTag(tags))
      .map(({ id }) => id),
  );
}
