/** Owns a moto server with the resources of a configuration's stack in it: the example's, when none is given. */
import { readFileSync } from 'node:fs';
import { fileOf } from '../../cdk/repository.ts';
import type { Configuration } from '../../core/configuration.ts';
import { exampleConfiguration, synthesise } from '../support/synthesise.ts';
import { type Moto, startMoto } from './moto.ts';
import { makeStack, type StackOnMoto } from './stack.ts';

export interface StackAndMoto {
  readonly moto: Moto;
  readonly stack: StackOnMoto;
}

export async function stackOnMoto(
  configuration: Configuration = exampleConfiguration(),
): Promise<StackAndMoto> {
  const [template] = synthesise(configuration).stacks;
  if (template === undefined) throw new Error('the configuration has no stack');
  const moto = await startMoto(template);
  const definition = readFileSync(fileOf('state-machines', 'campaign.asl.json'), 'utf8');
  return { moto, stack: await makeStack({ endpoint: moto.endpoint, template, definition }) };
}
