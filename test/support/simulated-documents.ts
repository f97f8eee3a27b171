/** Owns documents for simulated servers: the parameters of the real ones, and steps that nothing runs. */
import { join } from 'node:path';
import { documentPrefix } from '../../core/document.ts';
import { assembleDocuments } from '../../ssm-documents/assemble.ts';

const folder = join(import.meta.dirname, '../../ssm-documents');

/** @returns name and content of every document, the real ones: parameters are checked as they will be */
export function simulatedDocuments(): [string, string][] {
  return assembleDocuments(folder).map(({ name, content }) => [
    `${documentPrefix}${name}`,
    JSON.stringify(content),
  ]);
}
