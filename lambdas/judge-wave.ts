/** Judges a wave: a step of the state machine. */
import { judgeWave, judgeWaveInput } from '../core/use-cases/judge-wave.ts';
import { alarms, bucket, records } from './compose.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'judge-wave',
  compose: (world) => ({ records: records(world), objects: bucket(world), alarms: alarms(world) }),
  run: (ports, event, now) => judgeWave(ports, judgeWaveInput.parse(event), now),
});
