import {
  CreateTagsCommand,
  DeleteTagsCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEc2Calls, instancesById, instancesByTag } from '../../../lambdas/aws/ec2-instances.ts';
import { describeCommands } from '../../contracts/commands.contract.ts';
import { frankfurt } from '../../support/samples.ts';
import { optIn, startSsm } from '../../support/ssm-under-test.ts';
import { type Moto, startMoto } from '../moto.ts';

async function run(ec2: EC2Client, count: number, tags: Record<string, string>): Promise<string[]> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: 'ami-00000000000000000',
      MinCount: count,
      MaxCount: count,
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    }),
  );
  return Instances.map(({ InstanceId = '' }) => InstanceId);
}

describeCommands('the SSM endpoint, with instances of moto', async () => {
  const moto = await startMoto(frankfurt);
  const [failing = '', offline = '', ...good] = await run(new EC2Client(moto.client), 62, {
    [optIn.key]: optIn.value,
  });
  const ssm = await startSsm({ good, failing, offline }, createEc2Calls(moto.client));
  const underTest = ssm.underTest();
  return {
    ...underTest,
    close: async () => {
      await underTest.close();
      await moto.close();
    },
  };
});

describe('instances on EC2 of moto', () => {
  let moto: Moto;
  let ec2: EC2Client;
  beforeAll(async () => {
    moto = await startMoto(frankfurt);
    ec2 = new EC2Client(moto.client);
  });
  afterAll(() => moto?.close());

  const byTag = async (value: string) =>
    (await instancesByTag(createEc2Calls(moto.client), { key: 'patching', value })).map(({ id }) => id);

  test('are found by the value of a tag as it is, stars and all', async () => {
    const [starred] = await run(ec2, 1, { patching: 'a*' });
    await run(ec2, 1, { patching: 'ab' });
    expect(await byTag('a*')).toEqual([starred]);
  });

  test('are not found any more when the tag is taken away', async () => {
    const [left, kept] = await run(ec2, 2, { patching: 'yes' });
    await ec2.send(new DeleteTagsCommand({ Resources: [left ?? ''], Tags: [{ Key: 'patching' }] }));
    expect(await byTag('yes')).toEqual([kept]);
  });

  test('are terminated or not, whoever asks by id, and unknown ids spoil nothing', async () => {
    const [running = '', stopped = '', terminated = ''] = await run(ec2, 3, { patching: 'state' });
    await ec2.send(new StopInstancesCommand({ InstanceIds: [stopped] }));
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [terminated] }));
    await ec2.send(new CreateTagsCommand({ Resources: [running], Tags: [{ Key: 'Name', Value: 'ü 1' }] }));
    const unknown = `i-${'f'.repeat(17)}`;
    const found = await instancesById(createEc2Calls(moto.client), [running, stopped, terminated, unknown]);
    expect(new Map(found.map(({ id, isTerminated }) => [id, isTerminated]))).toEqual(
      new Map([
        [running, false],
        [stopped, false],
        [terminated, true],
      ]),
    );
    expect(found.find(({ id }) => id === running)?.tags).toEqual({ patching: 'state', Name: 'ü 1' });
  });
});
