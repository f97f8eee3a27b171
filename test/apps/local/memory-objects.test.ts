import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { describeObjects } from '../../contracts/objects.contract.ts';

describeObjects('memory', async () => ({
  objects: createMemoryObjects('bucket', 'eu-central-1'),
  close: async () => {},
}));
