import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { describeRecords } from '../../contracts/records.contract.ts';

describeRecords('memory', async () => ({ records: createMemoryRecords(), close: async () => {} }), {
  runs: 100,
});
