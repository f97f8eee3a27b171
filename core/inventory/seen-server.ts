/** Owns what a node's tags and SSM inventory say, in the words of the inventory. */
import type { Facts, SeenServer, SyncedField } from './sync-servers.ts';

/** As EC2 and SSM's DescribeInstanceInformation have it; hybrid nodes have tags of SSM instead of EC2's. */
export interface AwsNode {
  readonly instanceId: string;
  readonly account: string;
  readonly region: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly computerName?: string;
  readonly platformName?: string;
  readonly platformVersion?: string;
  /** By the type of the instance; of hybrid nodes AWS does not know it, and their tag says it. */
  readonly metal?: boolean;
}

/** Tags that mean a field, in any case, with or without spaces, dashes and underscores; the first that is there counts. */
const tagsOf: Readonly<Partial<Record<SyncedField, readonly string[]>>> = {
  environment: ['environment', 'env', 'stage'],
  zone: ['servertimezone', 'timezone'],
  hostGroup: ['hostgroup'],
  location: ['location'],
  primaryOwner: ['primaryowner', 'owner'],
  secondaryOwner: ['secondaryowner'],
  haGroup: ['hagroup'],
  metal: ['metal', 'baremetal'],
};

/** Keys of tags that a team has chosen for itself. */
type OwnTags = Readonly<Record<'environment' | 'owner' | 'timeZone' | 'hostGroup', string>>;

/** @param own those of the settings, which count before the usual ones */
export function seenServer(node: AwsNode, own?: OwnTags): SeenServer {
  const tags = new Map(
    Object.entries(node.tags).map(([key, value]) => [
      key.toLowerCase().replaceAll(/[\s_-]/g, ''),
      value.trim(),
    ]),
  );
  const facts: Partial<Record<SyncedField, string>> = {};
  const chosen: Partial<Record<SyncedField, string | undefined>> = {
    environment: own && node.tags[own.environment],
    zone: own && node.tags[own.timeZone],
    hostGroup: own && node.tags[own.hostGroup],
    primaryOwner: own && node.tags[own.owner],
  };
  for (const [field, keys] of Object.entries(tagsOf) as [SyncedField, readonly string[]][]) {
    const values = [chosen[field]?.trim(), ...keys.map((key) => tags.get(key))];
    const value = values.find((tag) => tag !== undefined && tag !== '');
    if (value !== undefined) facts[field] = value;
  }
  const system = [node.platformName, node.platformVersion].filter(Boolean).join(' ');
  // SSM gives the name with its domain, people write it without.
  const name = tags.get('name') || node.computerName?.split('.')[0];
  const { instanceId, account, region, metal } = node;
  if (metal !== undefined) facts.metal = metal ? 'yes' : 'no';
  return {
    instanceId,
    account,
    region,
    ...(name && { name }),
    facts: { ...facts, ...(system !== '' && { operatingSystem: system }) } satisfies Facts,
  };
}
