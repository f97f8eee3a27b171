/** Owns one-time schedules by the clock of the embedded host. */
import { millisOf } from '../../core/instant.ts';
import type { OneTimeSchedule, OneTimeSchedules } from '../../core/ports.ts';
import type { Cancel, LocalClock } from './clock.ts';

export interface LocalSchedulesOptions {
  readonly clock: LocalClock;
  readonly target: (input: unknown) => Promise<unknown>;
  /** Told why a target was given up, as the queue of dead letters is. */
  readonly onGivenUp: (schedule: OneTimeSchedule, error: unknown) => void;
}

/** As on AWS: what fails is tried again for an hour, and then given up. */
const attempts = 10;
const betweenAttempts = 360_000;

export function createLocalSchedules({ clock, target, onGivenUp }: LocalSchedulesOptions): OneTimeSchedules {
  const all = new Map<string, { readonly schedule: OneTimeSchedule; cancel: Cancel }>();
  const fire = async (schedule: OneTimeSchedule, input: string, attempt: number): Promise<void> => {
    try {
      await clock.busy(() => target(JSON.parse(input)));
    } catch (error) {
      const own = all.get(schedule.name);
      // Deleted or moved while its target was at it.
      if (own?.schedule !== schedule) return;
      if (attempt < attempts) {
        own.cancel = clock.at(clock.now() + betweenAttempts, () => void fire(schedule, input, attempt + 1));
        return;
      }
      onGivenUp(schedule, error);
    }
    if (all.get(schedule.name)?.schedule === schedule) all.delete(schedule.name);
  };
  const put = async (given: OneTimeSchedule): Promise<void> => {
    if (!/^[0-9A-Za-z-_.]{1,64}$/.test(given.name))
      throw new Error(
        `schedule ${given.name}: a name has 1 to 64 letters, digits, dots, dashes, underscores`,
      );
    const input = JSON.stringify(given.input);
    const schedule = { name: given.name, at: given.at, input: JSON.parse(input) };
    all.get(given.name)?.cancel();
    const cancel = clock.at(millisOf(given.at), () => void fire(schedule, input, 1));
    all.set(given.name, { schedule, cancel });
  };
  return {
    list: async () => [...all.values()].map(({ schedule }) => structuredClone(schedule)),
    create: put,
    update: put,
    async delete(name) {
      all.get(name)?.cancel();
      all.delete(name);
    },
  };
}
