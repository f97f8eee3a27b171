import { createMemoryAlarms } from '../../../apps/local/memory-alarms.ts';
import { describeAlarms } from '../../contracts/alarms.contract.ts';
import { frankfurt } from '../../support/samples.ts';

describeAlarms('the embedded host', async () => {
  const alarms = createMemoryAlarms();
  return {
    alarms,
    place: frankfurt,
    set: async (name, _kind, state) => alarms.set(frankfurt, name, state),
    close: async () => {},
  };
});
