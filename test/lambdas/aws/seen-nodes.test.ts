import { describe, expect, test } from 'vitest';
import { createSeenNodes } from '../../../lambdas/aws/seen-nodes.ts';

const place = { account: '111111111111', region: 'eu-central-1' };
const optIn = { key: 'quarterdeck', value: 'enrolled' };
const [running, stopped, gone] = ['i-0123456789abcdef0', 'i-0123456789abcdef1', 'i-0123456789abcdef2'];
const hybrid = 'mi-0123456789abcdef0';

describe('the nodes that a sync sees', () => {
  test('are those with the tag, of EC2 and of SSM, page after page', async () => {
    const asked: unknown[] = [];
    const nodesIn = createSeenNodes({
      optIn,
      callsIn: (where) => {
        asked.push(where);
        return {
          async describeInstances({ Filters, NextToken }) {
            asked.push(Filters);
            const [id, name] = NextToken === undefined ? [running, 'running'] : [stopped, 'stopped'];
            const terminated = { InstanceId: gone, State: { Name: 'terminated' as const } };
            return {
              Reservations: [
                {
                  Instances: [
                    {
                      InstanceId: id,
                      InstanceType: id === stopped ? 'm7i.metal-24xl' : 'm7i.large',
                      State: { Name: name as 'running' },
                      Tags: [{ Key: 'Name', Value: name }],
                    },
                    terminated,
                  ],
                },
              ],
              ...(NextToken === undefined && { NextToken: 'more' }),
            };
          },
          async describeInstanceInformation({ Filters, NextToken }) {
            asked.push(Filters);
            return NextToken === undefined
              ? {
                  InstanceInformationList: [
                    {
                      InstanceId: running,
                      ComputerName: 'a.example.com',
                      PlatformName: 'Debian GNU/Linux',
                      PlatformVersion: '13',
                    },
                  ],
                  NextToken: 'more',
                }
              : { InstanceInformationList: [{ InstanceId: hybrid, Name: 'rack-7' }] };
          },
          async listTagsForResource({ ResourceId }) {
            return { TagList: [{ Key: 'owner', Value: `of ${ResourceId}` }] };
          },
        };
      },
    });
    expect(await nodesIn(place)).toEqual([
      {
        instanceId: running,
        ...place,
        tags: { Name: 'running' },
        metal: false,
        computerName: 'a.example.com',
        platformName: 'Debian GNU/Linux',
        platformVersion: '13',
      },
      { instanceId: stopped, ...place, tags: { Name: 'stopped' }, metal: true },
      {
        instanceId: hybrid,
        ...place,
        tags: { owner: `of ${hybrid}` },
        computerName: 'rack-7',
        platformName: '',
        platformVersion: '',
      },
    ]);
    expect(asked).toContainEqual([{ Key: 'tag:quarterdeck', Values: ['enrolled'] }]);
    expect(asked).toContainEqual([{ Name: 'tag:quarterdeck', Values: ['enrolled'] }]);
  });
});
