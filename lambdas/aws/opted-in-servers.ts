/** Owns the finding of servers: those of a place that carry the opt-in tag, as servers of an environment. */
import { familyOf } from '../../core/family.ts';
import { inParallel } from '../../core/parallel.ts';
import { type Place, type Server, serverSchema } from '../../core/server.ts';
import type { Settings } from '../../core/settings.ts';
import { type Ec2Calls, instancesByTag, type Tag } from './ec2-instances.ts';
import { type Node, type NodeCalls, nodes, nodeTags } from './ssm-nodes.ts';

/** A server that carries the tag and is in no campaign all the same, and why. */
export interface LeftOut {
  readonly id: string;
  readonly why: string;
}

export interface FoundServers {
  readonly servers: readonly Server[];
  readonly leftOut: readonly LeftOut[];
}

export interface OptedInServersOptions {
  readonly callsIn: (place: Place) => Ec2Calls & NodeCalls;
  readonly optIn: Tag;
  readonly settings: Settings;
}

type Tags = Readonly<Record<string, string>>;

interface Tagged {
  readonly id: string;
  readonly tags: Tags;
  /** Of hybrid nodes nobody says what they are. */
  readonly isMetal?: boolean;
}

/** Nodes of SSM by the tag are EC2 instances and hybrid nodes; EC2 alone knows instances whose agent never reported. */
export function findOptedInServers(options: OptedInServersOptions): (place: Place) => Promise<FoundServers> {
  const { callsIn, optIn, settings } = options;
  return async (place) => {
    const calls = callsIn(place);
    const managed = await nodes(calls, { Key: `tag:${optIn.key}`, Values: [optIn.value] });
    const byId = new Map(managed.map((node) => [node.id, node]));
    const instances = (await instancesByTag(calls, optIn)).filter(({ isTerminated }) => !isTerminated);
    const hybrid = await inParallel(
      managed.filter(({ id }) => !id.startsWith('i-')),
      4,
      async ({ id }) => ({ id, tags: await nodeTags(calls, id) }),
    );
    const servers: Server[] = [];
    const leftOut: LeftOut[] = [];
    for (const tagged of [...instances, ...hybrid]) {
      const server = serverOf(tagged, place, byId.get(tagged.id), settings);
      if ('why' in server) leftOut.push(server);
      else servers.push(server);
    }
    return { servers, leftOut };
  };
}

function serverOf(
  { id, tags, isMetal = false }: Tagged,
  place: Place,
  node: Node | undefined,
  settings: Settings,
): Server | LeftOut {
  if (node === undefined) return { id, why: 'no SSM agent has reported from it' };
  const family = familyOf(node.platform);
  if (family === undefined) return { id, why: `its platform is ${node.platform || 'not known'}` };
  const { serverTags, defaultTimeZone } = settings;
  const parsed = serverSchema.safeParse({
    schema: 1,
    id,
    name: tags.Name || node.name,
    place,
    family,
    environment: tags[serverTags.environment],
    owner: tags[serverTags.owner] || 'unknown',
    zone: tags[serverTags.timeZone] || defaultTimeZone,
    ...(tags[serverTags.hostGroup] !== undefined && { hostGroup: tags[serverTags.hostGroup] }),
    ...(isMetal && { metal: true }),
    tags,
  });
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
  return { id, why: `its ${path.join('.')}, from its tags, ${message}` };
}
