/** Owns the lints of state machines: what the service accepts and `asl-validator` misses, and somebody would regret. */
import { lintExpressions } from './lint/expressions.ts';
import { lintMaps } from './lint/maps.ts';
import { type Finding, scopesOf } from './lint/scope.ts';
import { lintStructure } from './lint/structure.ts';
import { lintVariables } from './lint/variables.ts';

export type { Finding } from './lint/scope.ts';

/** Reads a definition as it is written, before its `${tokens}` are replaced. */
export function lintDefinition(definition: unknown): Finding[] {
  return scopesOf(definition).flatMap((scope) => [
    ...lintStructure(scope),
    ...lintMaps(scope),
    ...lintExpressions(scope),
    ...lintVariables(scope),
  ]);
}
