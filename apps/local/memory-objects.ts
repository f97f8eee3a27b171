/** Owns the object store in memory: what simulations and tests of use-cases run on. */
import { checkObjectKey } from '../../core/object-key.ts';
import { type Objects, tooLarge } from '../../core/ports.ts';

/** Objects that may go again; those of a campaign never do, those of backups have their time. */
export interface RemovableObjects extends Objects {
  /** Nothing happens where there is none. */
  remove(key: string): Promise<void>;
}

export function createMemoryObjects(bucket: string, region: string): RemovableObjects {
  const objects = new Map<string, Uint8Array>();
  return {
    bucket,
    region,
    async put(key, content) {
      checkObjectKey(key);
      objects.set(key, Uint8Array.from(typeof content === 'string' ? Buffer.from(content) : content));
    },
    async get(key, atMost = Number.POSITIVE_INFINITY) {
      const content = objects.get(key);
      if (content && content.length > atMost) throw tooLarge(key, content.length, atMost);
      return content && Uint8Array.from(content);
    },
    async remove(key) {
      checkObjectKey(key);
      objects.delete(key);
    },
  };
}
