/** Owns the same calls in every place: what is asked about servers is asked where they are, through the role there. */
import type { AwsCall } from '../proxy.ts';
import type { Cast } from './cast.ts';
import type { Call } from './recorded-requests.ts';

/** Those who are no part of the stack. */
const outsiders: ReadonlySet<string> = new Set(['servers', 'people', 'test', 'deployment', 'anonymous']);

/** Services that are asked about servers. */
const ofServers: ReadonlySet<string> = new Set(['ssm', 'ec2']);

/**
 * Adapters know a place as an account and a Region, and nothing else of it: a campaign in one place makes the calls of
 * a campaign in any. A hybrid node is asked about as an instance is, and in addition for its tags.
 */
export function inEveryPlace(calls: readonly AwsCall[], { access, servers }: Cast): Call[] {
  const places = [...new Map(servers.map(({ place }) => [JSON.stringify(place), place])).values()];
  const home = access.home.account;
  const machineRole = access.arnOfOne('AWS::IAM::Role', 'PatchingCampaignRole');
  return calls
    .filter(({ caller }) => !outsiders.has(caller))
    .flatMap(({ caller, service, operation, input, answer, region }): Call[] => {
      const principal = caller === 'state-machine' ? machineRole : access.roleOf(caller as never);
      const status = answer && { status: answer.status };
      const call = { principal, service, operation, account: home, region, input, ...status };
      if (!ofServers.has(service)) return [call];
      return places.flatMap((place) => {
        const role = place.account === home ? undefined : `arn:aws:iam::${place.account}:role/PatchMember`;
        const there = { ...call, ...place, principal: role ?? principal };
        const becoming = {
          ...call,
          service: 'sts',
          operation: 'AssumeRole',
          region: place.region,
          input: { RoleArn: role },
        };
        return [...(role ? [becoming] : []), ...asked(there)];
      });
    });
}

/** Of instances, and of hybrid nodes in the same way. */
function asked(call: Call): Call[] {
  const node = 'mi-0f1e2d3c4b5a69788';
  if (call.operation === 'SendCommand')
    return [call, { ...call, input: { ...call.input, InstanceIds: [node] } }];
  if (call.operation === 'DescribeInstanceInformation')
    return [
      call,
      {
        ...call,
        operation: 'ListTagsForResource',
        input: { ResourceType: 'ManagedInstance', ResourceId: node },
      },
    ];
  return [call];
}
