/** Owns how functions come by the settings. Apart from the other ports: a schema at the top is bundled wherever it is. */

import { type Settings, settingsSchema } from '../core/settings.ts';
import type { WorldWith } from './compose.ts';
import { objects } from './compose.ts';

/** Read with each campaign that is made, which is seldom; a campaign keeps its policy as it was then. */
export function settings(
  world: WorldWith<'campaignBucket' | 'campaignBucketRegion' | 'policies'>,
): () => Promise<Settings> {
  const stored = objects(world);
  const key = world.environment.policies;
  return async () => {
    const content = await stored.get(key);
    if (content === undefined)
      throw new Error(`the settings ${key} are not in bucket ${stored.bucket}: deploy the stack again`);
    return settingsSchema.parse(JSON.parse(Buffer.from(content).toString('utf8')));
  };
}
