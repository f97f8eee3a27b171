/**
 * Owns the servers of a campaign on moto: instances there, in the account and Region of each place, and hybrid nodes;
 * SSM of each place in front of its own Run Command, whose events go onto the bus of that place.
 */
import { CreateTagsCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { LocalClock } from '../../apps/local/clock.ts';
import type { InvocationEvent } from '../../apps/local/run-command/api.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import type { Configuration } from '../../core/configuration.ts';
import type { Objects } from '../../core/ports.ts';
import { serverPrefix } from '../../core/result-object.ts';
import { placeKey, type Server } from '../../core/server.ts';
import { serversOf } from '../support/campaign-world.ts';
import { type RunCommandEndpoint, serveRunCommand } from '../support/run-command-endpoint.ts';
import { type Behave, createSimulatedFleet, type SimulatedFleet } from '../support/simulated-fleet.ts';
import { ofType } from '../support/synthesise.ts';
import { keyIn, type PlaceOnMoto } from './place-on-moto.ts';
import { type AwsCall, accountOfCall } from './proxy.ts';

export interface ServersOptions {
  readonly clock: LocalClock;
  readonly configuration: Configuration;
  /** Home first. */
  readonly places: readonly PlaceOnMoto[];
  /** Of moto, past the proxy. */
  readonly endpoint: string;
  /** In each place. */
  readonly instances: number;
  readonly hybrids: number;
  readonly behave: Behave;
  /** With whose credentials servers of an account write into the bucket. */
  readonly objectsOf: (account: string) => Promise<Objects>;
  readonly delivers: (event: InvocationEvent) => boolean | 'twice';
  /** An event has been put onto the bus of its place. */
  readonly published: () => void;
  readonly onError: (error: unknown) => void;
}

export interface ServersInPlaces {
  readonly servers: readonly Server[];
  readonly fleet: SimulatedFleet;
  /** SSM of the account and Region that a call goes to. */
  ssmOf(call: AwsCall): string;
  close(): Promise<void>;
}

export async function startServers(options: ServersOptions): Promise<ServersInPlaces> {
  const { clock, configuration, places, behave } = options;
  const servers: Server[] = [];
  for (const place of places) servers.push(...(await serversIn(place, servers.length, options)));
  const objects = await objectsOfServers(servers, options);
  const fleet = createSimulatedFleet(clock, objects, servers, behave, configuration.hybridRoleId);
  const endpoints = new Map<string, RunCommandEndpoint>();
  for (const place of places) {
    const there = servers.filter((server) => placeKey(server.place) === placeKey(place));
    endpoints.set(placeKey(place), await serveSsm(place, there, fleet, options));
  }
  return {
    servers,
    fleet,
    ssmOf(call) {
      const place = { account: accountOfCall(call, configuration.home.account), region: call.region };
      const endpoint = endpoints.get(placeKey(place));
      if (endpoint === undefined)
        throw new Error(`no place is ${placeKey(place)}, which ${call.caller} asks`);
      return endpoint.url;
    },
    async close() {
      await Promise.all([...endpoints.values()].map((endpoint) => endpoint.close()));
    },
  };
}

/** Instances first; names count on from place to place. */
async function serversIn(place: PlaceOnMoto, before: number, options: ServersOptions): Promise<Server[]> {
  const { instances, hybrids, configuration } = options;
  const names = Array.from({ length: instances }, (_, index) => `server-${before + index + 1}`);
  const nodes = Array.from({ length: hybrids }, (_, index) => before + instances + index);
  const ids = [
    ...(await runInstances(place, names, options)),
    ...nodes.map((number) => `mi-${number.toString(16).padStart(17, '0')}`),
  ];
  const { account, region } = place;
  return serversOf(ids.length, (index) => ({
    id: ids[index] ?? '',
    name: `server-${before + index + 1}`,
    place: { account, region },
    tags: tagsOf(configuration),
  }));
}

function tagsOf({ optInTag, serverTags }: Configuration): Record<string, string> {
  return {
    [optInTag.key]: optInTag.value,
    [serverTags.environment]: 'production',
    [serverTags.owner]: 'owner@example.com',
  };
}

async function runInstances(
  { account, region }: PlaceOnMoto,
  names: readonly string[],
  { endpoint, configuration }: ServersOptions,
): Promise<string[]> {
  const home = configuration.home.account;
  const accessKeyId = await keyIn({ endpoint, region, home, account, caller: 'people', role: 'People' });
  const ec2 = new EC2Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey: 'secret' } });
  const Tags = Object.entries(tagsOf(configuration)).map(([Key, Value]) => ({ Key, Value }));
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: 'ami-00000000000000000',
      MinCount: names.length,
      MaxCount: names.length,
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    }),
  );
  const ids = Instances.map(({ InstanceId = '' }) => InstanceId);
  for (const [index, id] of ids.entries())
    await ec2.send(
      new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Name', Value: names[index] ?? '' }] }),
    );
  return ids;
}

/** Each server writes with the credentials of its own account. */
async function objectsOfServers(
  servers: readonly Server[],
  { configuration, objectsOf }: ServersOptions,
): Promise<Objects> {
  const { home, hybridRoleId } = configuration;
  const byAccount = new Map<string, Objects>();
  for (const account of new Set(servers.map(({ place }) => place.account)))
    byAccount.set(account, await objectsOf(account));
  return {
    ...(byAccount.get(home.account) as Objects),
    put(key, content) {
      const writer = servers.find((server) => key.startsWith(`${serverPrefix(server, hybridRoleId)}/`));
      const objects = writer && byAccount.get(writer.place.account);
      if (objects === undefined) throw new Error(`${key} is of no server`);
      return objects.put(key, content);
    },
  };
}

async function serveSsm(
  place: PlaceOnMoto,
  servers: readonly Server[],
  fleet: SimulatedFleet,
  { clock, configuration, delivers, published, onError }: ServersOptions,
): Promise<RunCommandEndpoint> {
  const publish = async (event: InvocationEvent) => {
    const { source: Source, 'detail-type': DetailType, detail, resources: Resources } = event;
    const Entries = [{ Source, DetailType, Resources, Detail: JSON.stringify(detail) }];
    await place.api.json('events', 'AWSEvents.PutEvents', { Entries });
    published();
  };
  const { account, region } = place;
  const service = new RunCommand({
    clock,
    account,
    region,
    emit(event) {
      const delivery = delivers(event);
      for (let times = delivery === 'twice' ? 2 : Number(delivery); times > 0; times--)
        clock.busy(() => publish(event)).catch(onError);
    },
  });
  for (const { id, name } of servers) service.registerInstance(id, fleet, name);
  const documents = await registerDocuments(service, place);
  return serveRunCommand(
    service,
    (name) => documents.get(name) ?? '',
    () => ({ platform: 'Debian GNU/Linux', tags: tagsOf(configuration) }),
  );
}

/** The documents of the template, as moto's CloudFormation made them there. */
async function registerDocuments(service: RunCommand, { api, resources, physical }: PlaceOnMoto) {
  const contents = new Map<string, string>();
  for (const [id] of ofType(resources, 'AWS::SSM::Document')) {
    const Name = physical[id] ?? '';
    const { Content } = await api.json('ssm', 'AmazonSSM.GetDocument', { Name, DocumentFormat: 'JSON' });
    service.registerDocument(Name, String(Content));
    contents.set(Name, String(Content));
  }
  return contents;
}
