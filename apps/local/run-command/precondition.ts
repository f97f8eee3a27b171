/** Owns whether a step's precondition lets it run on a Linux server. */
import type { DocumentStep } from './document.ts';
import { substitute } from './interpolation.ts';
import type { ResolvedParameters } from './parameters.ts';

export type Admission =
  | { readonly verdict: 'run' }
  | { readonly verdict: 'skip' | 'fail'; readonly reason: string };

/** Platform first, then parameters; an operator that the agent does not know fails the step rather than running it. */
export function admit(step: DocumentStep, values: ResolvedParameters): Admission {
  for (const [operator, operands] of Object.entries(step.precondition ?? {})) {
    const [left, right, ...more] = operands;
    const shown = `"${operator}": [${operands.join(', ')}]`;
    if (
      operator !== 'StringEquals' ||
      left === undefined ||
      right === undefined ||
      more.length > 0 ||
      left === right
    )
      return { verdict: 'fail', reason: `Unrecognized precondition(s): '${shown}'. Step name: ${step.name}` };
    if (!holds(left, right, values))
      return {
        verdict: 'skip',
        reason: `Step execution skipped due to unsatisfied preconditions: '${shown}'. Step name: ${step.name}`,
      };
  }
  return { verdict: 'run' };
}

function holds(left: string, right: string, values: ResolvedParameters): boolean {
  if (left === 'platformType') return right.toLowerCase() === 'linux';
  if (right === 'platformType') return left.toLowerCase() === 'linux';
  return substitute(left, values) === substitute(right, values);
}
