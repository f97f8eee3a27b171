/** Owns who answers for what is stored: this machine, or the stack of the configuration. */
import { type Backend, Refused } from '../../core/calls.ts';
import { openStoredState } from '../local/stored-state.ts';
import type { CommonArguments } from './asked.ts';
import { createAwsBackend } from './aws-backend.ts';
import { readConfiguration } from './configuration-file.ts';
import { createLocalBackend } from './local-backend.ts';
import type { World } from './world.ts';

/** @throws Refused */
export async function openBackend(
  { config, place, now }: CommonArguments,
  world: Pick<World, 'readText' | 'exists' | 'now'>,
): Promise<Backend> {
  const read = readConfiguration(config, world, place.aws);
  if ('problems' in read) throw new Refused('configuration', read.problems.join('\n'));
  if (!place.aws) {
    const state = await openStoredState(place.state).catch((error: unknown) => {
      throw new Refused(
        'state',
        `--state ${JSON.stringify(place.state)} can not be opened: ${(error as Error).message}`,
      );
    });
    return createLocalBackend(state, read.calendar, now ?? world.now);
  }
  if (read.configuration === undefined) {
    const message =
      '--aws needs a configuration, which says account, Region and name of the stack: add --config FILE';
    throw new Refused('configuration', message);
  }
  const { name, home } = read.configuration;
  return createAwsBackend({ stack: name, region: home.region });
}
