/** Writes the JSON Schemas of what servers say, for readers that are not of this repository. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemas } from './json-schemas.ts';

for (const [file, schema] of Object.entries(jsonSchemas()))
  writeFileSync(join(import.meta.dirname, file), `${JSON.stringify(schema, null, 2)}\n`);
