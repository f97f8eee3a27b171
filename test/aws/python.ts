/** Owns where the tests find the Python tools that `npm run test:aws` has installed. */
import { join } from 'node:path';

/** Names the folder of the virtual environment; `npm run test:aws` sets it. */
export const pythonVariable = 'QUARTERDECK_PYTHON_ENV';

/** @param name as in the folder `bin` of the environment: `python`, `moto_server`, `cfn-lint` */
export function pythonTool(name: string): string {
  const folder = process.env[pythonVariable];
  if (!folder) throw new Error(`${pythonVariable} names no virtual environment: run npm run test:aws`);
  return join(folder, 'bin', name);
}
