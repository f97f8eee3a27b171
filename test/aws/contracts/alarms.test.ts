import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  type StateValue,
} from '@aws-sdk/client-cloudwatch';
import { createAlarmCalls, createCloudWatchAlarms } from '../../../lambdas/aws/cloudwatch-alarms.ts';
import { describeAlarms } from '../../contracts/alarms.contract.ts';
import { frankfurt } from '../../support/samples.ts';
import { createAwsApi } from '../aws-api.ts';
import { startMoto } from '../moto.ts';

const values = { ok: 'OK', alarm: 'ALARM', 'insufficient-data': 'INSUFFICIENT_DATA' } as const;

describeAlarms('CloudWatch of moto', async () => {
  const moto = await startMoto();
  const api = createAwsApi(moto.endpoint, moto.client.region);
  const cloudWatch = new CloudWatchClient(moto.client);
  return {
    alarms: createCloudWatchAlarms({ account: '111111111111', region: 'eu-central-1' }, ({ region }) =>
      createAlarmCalls({ ...moto.client, region }),
    ),
    place: frankfurt,
    async set(AlarmName, kind, state) {
      const StateValue: StateValue = values[state];
      // moto has composite alarms, and no call to make them: its PutMetricAlarm takes a rule.
      if (kind === 'composite')
        await api.json('monitoring', 'GraniteServiceVersion20100801.PutMetricAlarm', {
          AlarmName,
          AlarmRule: 'ALARM("errors")',
          EvaluationPeriods: 1,
        });
      else
        await cloudWatch.send(
          new PutMetricAlarmCommand({
            AlarmName,
            Namespace: 'AWS/Lambda',
            MetricName: 'Errors',
            Statistic: 'Sum',
            Period: 60,
            EvaluationPeriods: 1,
            Threshold: 1,
            ComparisonOperator: 'GreaterThanThreshold',
          }),
        );
      await cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: 'a test' }));
    },
    close: () => moto.close(),
  };
});
