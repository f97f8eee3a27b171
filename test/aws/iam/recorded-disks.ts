/** Owns what is done about disks in recorded campaigns, in every place: snapshots, their expiry, and root volumes. */
import { instantOf, plusSeconds } from '../../../core/instant.ts';
import type { Server } from '../../../core/server.ts';
import { jobTag, snapshotTags } from '../../../core/snapshot-tags.ts';
import { configurationFrom } from '../../support/synthesise.ts';
import type { AwsWorld } from '../campaign-world.ts';
import { placesText } from '../templates/configurations.ts';

const alarm = 'errors of the service';

/** Campaigns of its policy take snapshots, and look at an alarm in each place. */
export const disksConfiguration = () => {
  const { places } = configurationFrom(placesText);
  const alarms = places.map((place) => JSON.stringify({ name: alarm, ...place })).join(', ');
  return configurationFrom(
    placesText.replace(
      '    mode: all\n',
      `    mode: all
    backup: { snapshots: best-effort, waiver: hybrid nodes have no disks of EBS }
    validation: { alarms: [${alarms}] }
`,
    ),
  );
};

/** Alarms that are well, without which no wave begins. */
export async function makeAlarms({ stack, places }: AwsWorld): Promise<void> {
  for (const { api } of [stack, ...places]) {
    const put = (operation: string, input: object) =>
      api.json('monitoring', `GraniteServiceVersion20100801.${operation}`, { AlarmName: alarm, ...input });
    await put('PutMetricAlarm', {
      MetricName: 'Errors',
      Namespace: 'AWS/Lambda',
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    });
    await put('SetAlarmState', { StateValue: 'OK', StateReason: 'as the test has it' });
  }
}

/** Every place has two sets that have had their time, of which one goes. */
export async function expire(world: AwsWorld): Promise<void> {
  const longAgo = plusSeconds(instantOf(world.clock.now()), -86_400);
  for (const { api, account, region } of [world.stack, ...world.places]) {
    const server = instancesOf(world).find(
      ({ place }) => place.account === account && place.region === region,
    );
    for (const campaignId of ['campaign-old', 'campaign-older'])
      await api.query('ec2', '2016-11-15', 'CreateSnapshots', {
        'InstanceSpecification.InstanceId': server?.id ?? '',
        'TagSpecification.1.ResourceType': 'snapshot',
        ...tagFields({
          [snapshotTags.campaign]: campaignId,
          [snapshotTags.job]: jobTag(campaignId, server?.id ?? ''),
          [snapshotTags.expires]: longAgo,
          [snapshotTags.keepLast]: '1',
        }),
      });
  }
  await world.invoke('expire-snapshots', {});
}

function tagFields(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value], index) => [
      [`TagSpecification.1.Tag.${index + 1}.Key`, key],
      [`TagSpecification.1.Tag.${index + 1}.Value`, value],
    ]),
  );
}

/** Of every instance of a campaign that has ended; the sweeper follows until it is given up. */
export async function replaceRootVolumes(world: AwsWorld, campaignId: string): Promise<void> {
  const { invoke, clock, rootVolumes } = world;
  for (const { id: serverId } of instancesOf(world)) {
    const asked = { campaignId, serverId, by: 'requester@example.com', reason: 'it does not start' };
    const { snapshotId } = (await invoke('request-root-volume', asked)) as { snapshotId: string };
    const decision = { campaignId, serverId, snapshotId, approved: true, by: 'approver@example.com' };
    await invoke('decide-root-volume', decision);
  }
  await invoke('sweep', {});
  rootVolumes.tell('succeeded', instantOf(clock.now()));
  await new Promise<void>((resolve) => void clock.at(clock.now() + 3_600_000, resolve));
  await invoke('sweep', {});
}

const instancesOf = ({ servers }: AwsWorld): readonly Server[] =>
  servers.filter(({ id }) => id.startsWith('i-'));
