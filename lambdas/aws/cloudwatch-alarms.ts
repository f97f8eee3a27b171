/** Owns the reading of CloudWatch alarms: in which state each is, by its name. */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  type DescribeAlarmsCommandOutput,
} from '@aws-sdk/client-cloudwatch';
import { type AlarmState, type Alarms, PortError } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import type { ClientLocation } from './place-clients.ts';
import { isDenied } from './ssm-errors.ts';

/** The call of CloudWatch that this adapter makes. */
export interface AlarmCalls {
  describeAlarms(
    input: DescribeAlarmsCommandInput,
  ): Promise<
    Pick<DescribeAlarmsCommandOutput, 'MetricAlarms' | 'CompositeAlarms' | 'LogAlarms' | 'NextToken'>
  >;
}

export function createAlarmCalls(location: ClientLocation): AlarmCalls {
  const client = new CloudWatchClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return { describeAlarms: (input) => client.send(new DescribeAlarmsCommand(input)) };
}

/** Names that a call takes at once. */
const namesAtOnce = 100;

export function createCloudWatchAlarms(home: Place, callsIn: (place: Place) => AlarmCalls): Alarms {
  return {
    home,
    async states(place, names) {
      const found = new Map<string, AlarmState>(names.map((name) => [name, 'missing']));
      for (let start = 0; start < names.length; start += namesAtOnce) {
        const AlarmNames = names.slice(start, start + namesAtOnce);
        for await (const { AlarmName = '', StateValue } of alarms(callsIn, place, AlarmNames))
          if (found.has(AlarmName)) found.set(AlarmName, stateOf(StateValue));
      }
      return found;
    },
  };
}

async function* alarms(callsIn: (place: Place) => AlarmCalls, place: Place, AlarmNames: string[]) {
  let NextToken: string | undefined;
  do {
    const page = await callsIn(place)
      .describeAlarms({
        AlarmNames,
        // Without it only those of metrics are told.
        AlarmTypes: ['MetricAlarm', 'CompositeAlarm', 'LogAlarm'],
        MaxRecords: 100,
        ...(NextToken && { NextToken }),
      })
      .catch((error: unknown) => {
        if (!isDenied(error)) throw error;
        throw new PortError('refused', `DescribeAlarms: ${error.name}: ${error.message}`, { cause: error });
      });
    const { MetricAlarms = [], CompositeAlarms = [], LogAlarms = [] } = page;
    yield* [...MetricAlarms, ...CompositeAlarms, ...LogAlarms];
    NextToken = page.NextToken;
  } while (NextToken);
}

/** What CloudWatch may say one day and does not yet is nothing that is known to be well. */
function stateOf(value: string | undefined): AlarmState {
  if (value === 'OK') return 'ok';
  return value === 'ALARM' ? 'alarm' : 'insufficient-data';
}
