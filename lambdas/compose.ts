/** Owns how each port is made of its adapter and the environment; a function bundles those that it calls. */
import type {
  Alarms,
  Backups,
  Callbacks,
  Commands,
  Executions,
  Fleet,
  Notices,
  Objects,
  Records,
} from '../core/ports.ts';
import type { Place } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import { assumeRole } from './aws/assume-role.ts';
import { createAlarmCalls, createCloudWatchAlarms } from './aws/cloudwatch-alarms.ts';
import { createDynamoDbCalls, createDynamoDbRecords } from './aws/dynamodb-records.ts';
import { createEc2Calls, type Ec2Calls, parseTag } from './aws/ec2-instances.ts';
import { type FoundServers, findOptedInServers } from './aws/opted-in-servers.ts';
import { type Home, type Locate, locateFrom, perPlace } from './aws/place-clients.ts';
import { createS3Calls, createS3Objects } from './aws/s3-objects.ts';
import { createCallbackCalls, createSfnCallbacks } from './aws/sfn-callbacks.ts';
import { createExecutionCalls, createSfnExecutions } from './aws/sfn-executions.ts';
import { createSnsCalls, createSnsNotices } from './aws/sns-notices.ts';
import { createCommandCalls, createSsmCommands, sendPace } from './aws/ssm-commands.ts';
import { createSsmFleet } from './aws/ssm-fleet.ts';
import { createInvocationCalls, createSsmInvocations } from './aws/ssm-invocations.ts';
import { createNodeCalls, type NodeCalls } from './aws/ssm-nodes.ts';
import { stopwatch, wait } from './aws/system-clock.ts';
import type { Environment, EnvironmentKey } from './environment.ts';

/** The name alone, and no right. */
export function backupBucket({ environment }: WorldWith<'backupBucket'>): Pick<Backups, 'bucket'> {
  return { bucket: environment.backupBucket };
}

export interface WorldWith<Key extends EnvironmentKey> {
  readonly environment: Environment<Key>;
  readonly home: Home;
}

export const locate = ({ home, environment }: WorldWith<'memberRole'>): Locate =>
  locateFrom(home, environment.memberRole, assumeRole);

export function records({ home, environment }: WorldWith<'stateTable'>): Records {
  return createDynamoDbRecords({
    table: environment.stateTable,
    calls: createDynamoDbCalls({ region: home.region }),
    wait,
  });
}

export function objects({
  home,
  environment,
}: WorldWith<'campaignBucket' | 'campaignBucketRegion'>): Objects {
  return createS3Objects({
    bucket: environment.campaignBucket,
    region: environment.campaignBucketRegion,
    owner: home.account,
    calls: createS3Calls({ region: environment.campaignBucketRegion }),
  });
}

export function bucket({
  environment,
}: WorldWith<'campaignBucket' | 'campaignBucketRegion'>): Pick<Objects, 'bucket' | 'region'> {
  return { bucket: environment.campaignBucket, region: environment.campaignBucketRegion };
}

export function invocations(world: WorldWith<'memberRole'>): Pick<Commands, 'invocations'> {
  const where = locate(world);
  return createSsmInvocations(perPlace((place) => createInvocationCalls(where(place))));
}

export function commands(world: WorldWith<'memberRole'>): Omit<Commands, 'pin'> {
  const where = locate(world);
  return {
    ...createSsmCommands({
      callsIn: perPlace((place) => createCommandCalls(where(place))),
      pace: { ...sendPace, stopwatch, wait },
    }),
    ...invocations(world),
  };
}

export function fleet(world: WorldWith<'memberRole' | 'optInTag'>): Fleet {
  return createSsmFleet({ callsIn: serverCalls(world), optIn: parseTag(world.environment.optInTag) });
}

export function discovery(
  world: WorldWith<'memberRole' | 'optInTag'>,
): (settings: Settings, place: Place) => Promise<FoundServers> {
  const callsIn = serverCalls(world);
  const optIn = parseTag(world.environment.optInTag);
  return (settings, place) => findOptedInServers({ callsIn, optIn, settings })(place);
}

function serverCalls(world: WorldWith<'memberRole'>): (place: Place) => Ec2Calls & NodeCalls {
  const where = locate(world);
  return perPlace((place) => ({ ...createEc2Calls(where(place)), ...createNodeCalls(where(place)) }));
}

export function alarms(world: WorldWith<'memberRole'>): Alarms {
  const where = locate(world);
  return createCloudWatchAlarms(
    world.home,
    perPlace((place) => createAlarmCalls(where(place))),
  );
}

export function callbacks({ home }: { readonly home: Home }): Callbacks {
  return createSfnCallbacks(createCallbackCalls({ region: home.region }));
}

export function executions({ home, environment }: WorldWith<'stateMachine'>): Executions {
  return createSfnExecutions(environment.stateMachine, createExecutionCalls({ region: home.region }));
}

export function notices({ home, environment }: WorldWith<'noticeTopic'>): Notices {
  return createSnsNotices(environment.noticeTopic, createSnsCalls({ region: home.region }));
}
