/** Owns the alarms of the embedded host, which nobody has but whoever sets them. */
import type { AlarmState, Alarms } from '../../core/ports.ts';
import { type Place, placeKey } from '../../core/server.ts';

export interface MemoryAlarms extends Alarms {
  set(place: Place, name: string, state: Exclude<AlarmState, 'missing'>): void;
}

const embedded: Place = { account: '111111111111', region: 'eu-central-1' };

export function createMemoryAlarms(home = embedded): MemoryAlarms {
  const all = new Map<string, AlarmState>();
  const keyOf = (place: Place, name: string) => `${placeKey(place)} ${name}`;
  return {
    home,
    states: async (place, names) =>
      new Map(names.map((name) => [name, all.get(keyOf(place, name)) ?? 'missing'])),
    set: (place, name, state) => void all.set(keyOf(place, name), state),
  };
}
