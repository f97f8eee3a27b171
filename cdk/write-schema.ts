/** Writes `quarterdeck.schema.json`, by which editors complete and check the configuration. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationJsonSchema } from '../core/configuration.ts';

const file = join(import.meta.dirname, '..', 'quarterdeck.schema.json');
writeFileSync(file, `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`);
