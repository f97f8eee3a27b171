/** Owns a moto server with the resources of a configuration's stacks in it: the example's, when none is given. */
import { readFileSync } from 'node:fs';
import { fileOf } from '../../cdk/repository.ts';
import type { Configuration } from '../../core/configuration.ts';
import { exampleConfiguration, synthesise } from '../support/synthesise.ts';
import { type Moto, startMoto } from './moto.ts';
import { makePlace, type PlaceOnMoto } from './place-on-moto.ts';
import { makeStack, type StackOnMoto } from './stack.ts';

export interface StackAndMoto {
  readonly moto: Moto;
  readonly stack: StackOnMoto;
  /** Other accounts and Regions that the configuration has servers in. */
  readonly places: readonly PlaceOnMoto[];
}

export async function stackOnMoto(
  configuration: Configuration = exampleConfiguration(),
): Promise<StackAndMoto> {
  const [template, ...others] = synthesise(configuration).stacks;
  if (template === undefined) throw new Error('the configuration has no stack');
  const moto = await startMoto(template);
  const definition = readFileSync(fileOf('state-machines', 'campaign.asl.json'), 'utf8');
  const { endpoint } = moto;
  const stack = await makeStack({ endpoint, template, definition });
  const places: PlaceOnMoto[] = [];
  for (const other of others)
    places.push(await makePlace({ endpoint, template: other, home: template.account }));
  return { moto, stack, places };
}
