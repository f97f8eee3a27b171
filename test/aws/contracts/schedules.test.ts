import { CreateScheduleGroupCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { createScheduleCalls, createSchedules } from '../../../lambdas/aws/scheduler-schedules.ts';
import { describeSchedules } from '../../contracts/schedules.contract.ts';
import { startMoto } from '../moto.ts';

describeSchedules(
  'EventBridge Scheduler of moto',
  async () => {
    const moto = await startMoto();
    await new SchedulerClient(moto.client).send(new CreateScheduleGroupCommand({ Name: 'campaigns' }));
    return {
      schedules: createSchedules({
        group: 'campaigns',
        target: 'arn:aws:lambda:eu-central-1:111111111111:function:launch',
        role: 'arn:aws:iam::111111111111:role/schedules',
        deadLetters: 'arn:aws:sqs:eu-central-1:111111111111:dead-letters',
        calls: createScheduleCalls(moto.client),
      }),
      close: () => moto.close(),
    };
  },
  { anyName: 'moto checks no names' },
);
