/** Owns the ports with a meter in front: each call counts as the AWS call that its adapter makes. */
import type {
  Alarms,
  Callbacks,
  Commands,
  Executions,
  Fleet,
  Notices,
  Objects,
  Ports,
  RootVolumes,
  Snapshots,
} from '../../core/ports.ts';
import type { CostMeter } from './cost-meter.ts';
import { meteredRecords } from './metered-records.ts';

export function meteredPorts(ports: Ports, meter: CostMeter): Ports {
  return {
    records: meteredRecords(ports.records, meter),
    objects: meteredObjects(ports.objects, meter),
    commands: meteredCommands(ports.commands, meter),
    fleet: meteredFleet(ports.fleet, meter),
    callbacks: meteredCallbacks(ports.callbacks, meter),
    notices: meteredNotices(ports.notices, meter),
    executions: meteredExecutions(ports.executions, meter),
    snapshots: meteredSnapshots(ports.snapshots, meter),
    rootVolumes: meteredRootVolumes(ports.rootVolumes, meter),
    alarms: meteredAlarms(ports.alarms, meter),
    backups: ports.backups,
    measures: ports.measures,
  };
}

function meteredObjects(objects: Objects, meter: CostMeter): Objects {
  return {
    bucket: objects.bucket,
    region: objects.region,
    put(key, content) {
      meter.count('s3:PutObject', { 's3-puts': 1 });
      return objects.put(key, content);
    },
    get(key, atMost) {
      meter.count('s3:GetObject', { 's3-gets': 1 });
      return objects.get(key, atMost);
    },
  };
}

function meteredCommands(commands: Commands, meter: CostMeter): Commands {
  return {
    pin(place, name) {
      meter.count('ssm:DescribeDocument');
      return commands.pin(place, name);
    },
    send(place, request) {
      meter.count('ssm:SendCommand');
      return commands.send(place, request);
    },
    find(place, comment, since) {
      meter.count('ssm:ListCommands');
      return commands.find(place, comment, since);
    },
    invocations(place, commandId) {
      meter.count('ssm:ListCommandInvocations');
      return commands.invocations(place, commandId);
    },
  };
}

function meteredFleet(fleet: Fleet, meter: CostMeter): Fleet {
  return {
    presence(place, serverIds) {
      // DescribeInstanceInformation answers for 50 at a time.
      meter.count('ssm:DescribeInstanceInformation', {}, Math.ceil(serverIds.length / 50));
      return fleet.presence(place, serverIds);
    },
  };
}

function meteredCallbacks(callbacks: Callbacks, meter: CostMeter): Callbacks {
  return {
    succeed(token, output) {
      meter.count('states:SendTaskSuccess');
      return callbacks.succeed(token, output);
    },
    fail(token, error, cause) {
      meter.count('states:SendTaskFailure');
      return callbacks.fail(token, error, cause);
    },
  };
}

function meteredNotices(notices: Notices, meter: CostMeter): Notices {
  return {
    send(notice) {
      // As if one person had subscribed to the topic.
      meter.count('sns:Publish', { 'sns-publishes': 1, 'sns-emails': 1 });
      return notices.send(notice);
    },
  };
}

function meteredExecutions(executions: Executions, meter: CostMeter): Executions {
  return {
    start(name, input) {
      meter.count('states:StartExecution');
      return executions.start(name, input);
    },
  };
}

/** Calls of EC2 are free; what snapshots store is not, and nobody knows how much that is. */
function meteredSnapshots(snapshots: Snapshots, meter: CostMeter): Snapshots {
  return {
    volumes(place, serverIds) {
      meter.count('ec2:DescribeInstances');
      return snapshots.volumes(place, serverIds);
    },
    find(place, campaignId, serverIds) {
      meter.count('ec2:DescribeSnapshots');
      return snapshots.find(place, campaignId, serverIds);
    },
    take(place, order) {
      meter.count('ec2:CreateSnapshots');
      return snapshots.take(place, order);
    },
    list(place) {
      meter.count('ec2:DescribeSnapshots');
      return snapshots.list(place);
    },
    delete(place, snapshotId) {
      meter.count('ec2:DeleteSnapshot');
      return snapshots.delete(place, snapshotId);
    },
  };
}

function meteredRootVolumes(rootVolumes: RootVolumes, meter: CostMeter): RootVolumes {
  return {
    look(place, serverId) {
      meter.count('ec2:DescribeInstances');
      meter.count('ssm:DescribeInstanceInformation');
      return rootVolumes.look(place, serverId);
    },
    task(place, taskId) {
      meter.count('ec2:DescribeReplaceRootVolumeTasks');
      return rootVolumes.task(place, taskId);
    },
    replace(place, request) {
      meter.count('ec2:CreateReplaceRootVolumeTask');
      return rootVolumes.replace(place, request);
    },
  };
}

function meteredAlarms(alarms: Alarms, meter: CostMeter): Alarms {
  return {
    get home() {
      return alarms.home;
    },
    states(place, names) {
      meter.count('cloudwatch:DescribeAlarms', {}, Math.ceil(names.length / 100));
      return alarms.states(place, names);
    },
  };
}
