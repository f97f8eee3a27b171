import { createDiskBackups } from '../../../apps/local/disk-backups.ts';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { describeBackups } from '../../contracts/backups.contract.ts';

describeBackups('the embedded host', async () => {
  const objects = createMemoryObjects('backups', 'eu-central-1');
  return {
    backups: createDiskBackups(objects),
    put: (key, content) => objects.put(key, content),
    close: async () => {},
  };
});
