import { createMemoryRootVolumes } from '../../../apps/local/memory-root-volumes.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { describeRootVolumes } from '../../contracts/root-volumes.contract.ts';
import { dayBefore, frankfurt, serverId } from '../../support/samples.ts';

describeRootVolumes('the embedded host', async () => {
  let now = dayBefore;
  return {
    rootVolumes: createMemoryRootVolumes(() => now),
    place: frankfurt,
    serverId: serverId(1),
    settle() {
      now = plusSeconds(now, 3600);
    },
    close: async () => {},
  };
});
