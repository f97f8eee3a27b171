import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { createEc2Calls } from '../../../lambdas/aws/ec2-instances.ts';
import { createEc2Snapshots, createSnapshotCalls } from '../../../lambdas/aws/ec2-snapshots.ts';
import { describeSnapshots } from '../../contracts/snapshots.contract.ts';
import { frankfurt } from '../../support/samples.ts';
import { startMoto } from '../moto.ts';

describeSnapshots('EC2 of moto', async () => {
  const moto = await startMoto();
  const ec2 = new EC2Client(moto.client);
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId: 'ami-00000000000000000', MinCount: 3, MaxCount: 3 }),
  );
  const [first = '', second = '', gone = ''] = Instances.map(({ InstanceId = '' }) => InstanceId);
  for (const InstanceId of [first, second]) {
    const { VolumeId } = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: Instances[0]?.Placement?.AvailabilityZone, Size: 1 }),
    );
    await ec2.send(new AttachVolumeCommand({ InstanceId, VolumeId, Device: '/dev/sdf' }));
  }
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [gone] }));
  return {
    snapshots: createEc2Snapshots(({ region }) => {
      const location = { ...moto.client, region };
      return { ...createSnapshotCalls(location), ...createEc2Calls(location) };
    }),
    place: frankfurt,
    servers: [first, second],
    gone,
    close: () => moto.close(),
  };
});
