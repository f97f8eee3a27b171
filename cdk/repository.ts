/** Owns where the stack finds the files of the repository that it deploys. */
import { join } from 'node:path';

export const repositoryRoot = join(import.meta.dirname, '..');

export const fileOf = (...path: readonly string[]): string => join(repositoryRoot, ...path);
