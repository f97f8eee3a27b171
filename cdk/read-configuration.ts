/** Owns finding the configuration: the file of whoever deploys, or the example for who only wants to look. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Configuration, parseConfiguration, problemText } from '../core/configuration.ts';

export const exampleFile = 'quarterdeck.example.yaml';

/**
 * @param folder of the repository
 * @param file that was asked for; without it `quarterdeck.yaml`, and where there is none, the example
 * @throws Error with everything that is wrong with the file, a line each
 */
export function readConfiguration(
  folder: string,
  file?: string,
  note: (text: string) => void = () => undefined,
): Configuration {
  const name = file ?? (existsSync(join(folder, 'quarterdeck.yaml')) ? 'quarterdeck.yaml' : exampleFile);
  if (name === exampleFile) {
    note(
      `there is no quarterdeck.yaml: this is the stack of ${exampleFile}; copy it and put in your account`,
    );
  }
  const parsed = parseConfiguration(readFileSync(join(folder, name), 'utf8'));
  if ('configuration' in parsed) return parsed.configuration;
  throw new Error(parsed.problems.map((problem) => problemText(name, problem)).join('\n'));
}
