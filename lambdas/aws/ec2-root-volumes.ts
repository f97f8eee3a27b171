/** Owns the replacing of an instance's root volume on EC2, and what EC2 and its agent say of it afterwards. */
import {
  CreateReplaceRootVolumeTaskCommand,
  type CreateReplaceRootVolumeTaskCommandInput,
  type CreateReplaceRootVolumeTaskCommandOutput,
  DescribeReplaceRootVolumeTasksCommand,
  type DescribeReplaceRootVolumeTasksCommandInput,
  type DescribeReplaceRootVolumeTasksCommandOutput,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { instantOf } from '../../core/instant.ts';
import { PortError, type RootVolumes, type RootVolumeTask } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import { jobTag, snapshotTags } from '../../core/snapshot-tags.ts';
import { ec2Error, isNotFound } from './ec2-errors.ts';
import { type Ec2Calls, instancesById } from './ec2-instances.ts';
import type { ClientLocation } from './place-clients.ts';
import { type NodeCalls, nodes } from './ssm-nodes.ts';

/** The calls of EC2 that this adapter makes, beside those about instances. */
export interface RootVolumeCalls {
  createReplaceRootVolumeTask(
    input: CreateReplaceRootVolumeTaskCommandInput,
  ): Promise<Pick<CreateReplaceRootVolumeTaskCommandOutput, 'ReplaceRootVolumeTask'>>;
  describeReplaceRootVolumeTasks(
    input: DescribeReplaceRootVolumeTasksCommandInput,
  ): Promise<Pick<DescribeReplaceRootVolumeTasksCommandOutput, 'ReplaceRootVolumeTasks'>>;
}

export function createRootVolumeCalls(location: ClientLocation): RootVolumeCalls {
  // Every task is asked for with a token, so a retry of the SDK is no second one.
  const client = new EC2Client({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    createReplaceRootVolumeTask: (input) => client.send(new CreateReplaceRootVolumeTaskCommand(input)),
    describeReplaceRootVolumeTasks: (input) => client.send(new DescribeReplaceRootVolumeTasksCommand(input)),
  };
}

export function createEc2RootVolumes(
  callsIn: (place: Place) => RootVolumeCalls & Ec2Calls & NodeCalls,
): RootVolumes {
  return {
    async look(place, serverId) {
      const calls = callsIn(place);
      const [instance] = await instancesById(calls, [serverId]);
      if (instance === undefined) return undefined;
      const [node] = await nodes(calls, { Key: 'InstanceIds', Values: [serverId] });
      return {
        instanceState: instance.state,
        rootVolumeId: instance.volumes.find(({ root }) => root)?.volumeId ?? null,
        agentSeenAt: node?.seenAt ?? null,
      };
    },

    async task(place, taskId) {
      try {
        const { ReplaceRootVolumeTasks: [task] = [] } = await callsIn(place).describeReplaceRootVolumeTasks({
          ReplaceRootVolumeTaskIds: [taskId],
        });
        if (task === undefined) return undefined;
        const { TaskState, CompleteTime } = task;
        const completed = Date.parse(CompleteTime ?? '');
        return {
          state: stateOf(TaskState ?? ''),
          completedAt: Number.isNaN(completed) ? null : instantOf(completed),
        };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw ec2Error('DescribeReplaceRootVolumeTasks', error);
      }
    },

    async replace(place, { serverId, snapshotId, campaignId, token }) {
      const Tags = [
        { Key: snapshotTags.campaign, Value: campaignId },
        { Key: snapshotTags.job, Value: jobTag(campaignId, serverId) },
      ];
      try {
        const { ReplaceRootVolumeTask } = await callsIn(place).createReplaceRootVolumeTask({
          InstanceId: serverId,
          SnapshotId: snapshotId,
          ClientToken: token,
          // What was on it until now is looked at by people before it goes.
          DeleteReplacedRootVolume: false,
          TagSpecifications: [{ ResourceType: 'replace-root-volume-task', Tags }],
        });
        const taskId = ReplaceRootVolumeTask?.ReplaceRootVolumeTaskId;
        if (taskId !== undefined) return taskId;
      } catch (error) {
        throw ec2Error('CreateReplaceRootVolumeTask', error);
      }
      throw new PortError('ambiguous', 'CreateReplaceRootVolumeTask answered without the id of a task');
    },
  };
}

const states: readonly RootVolumeTask['state'][] = [
  'pending',
  'in-progress',
  'succeeded',
  'failing',
  'failed',
  'failed-detached',
];

/** The documentation names `failing-detached` beside those that the model has. */
function stateOf(text: string): RootVolumeTask['state'] {
  return states.find((state) => state === text) ?? (text.startsWith('failing') ? 'failing' : 'pending');
}
