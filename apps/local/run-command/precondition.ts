/** Owns whether a step's precondition lets it run on a Linux server. */
import type { DocumentStep } from './document.ts';
import { substitute } from './interpolation.ts';
import type { ResolvedParameters } from './parameters.ts';

export type Admission =
  | { readonly verdict: 'run' }
  | { readonly verdict: 'skip' | 'fail'; readonly reason: string };

/**
 * A precondition that does not hold skips the step, and that comes before one that the agent cannot make sense of,
 * which fails the step rather than running it.
 */
export function admit(step: DocumentStep, values: ResolvedParameters): Admission {
  const entries = Object.entries(step.precondition ?? {});
  const shown = (wanted: Verdict) =>
    entries
      .filter(([operator, operands]) => judge(operator, operands, values) === wanted)
      .map(([operator, operands]) => `"${operator}": [${operands.join(', ')}]`)
      .join(', ');
  const unmet = shown('unmet');
  if (unmet !== '')
    return {
      verdict: 'skip',
      reason: `Step execution skipped due to unsatisfied preconditions: '${unmet}'. Step name: ${step.name}`,
    };
  const unknown = shown('unknown');
  if (unknown === '') return { verdict: 'run' };
  return {
    verdict: 'fail',
    reason: `Unrecognized precondition(s): '${unknown}', please update agent to latest version. Step name: ${step.name}`,
  };
}

type Verdict = 'met' | 'unmet' | 'unknown';

function judge(operator: string, operands: readonly string[], values: ResolvedParameters): Verdict {
  const [left, right, ...more] = operands;
  if (operator !== 'StringEquals' || left === undefined || right === undefined || more.length > 0)
    return 'unknown';
  if (left === right) return 'unknown';
  const [boundLeft, boundRight] = [substitute(left, values), substitute(right, values)];
  if (left === 'platformType' || right === 'platformType') {
    const [platform, bound] = left === 'platformType' ? [right, boundRight] : [left, boundLeft];
    if (platform.toLowerCase() !== bound.toLowerCase()) return 'unknown';
    return platform.toLowerCase() === 'linux' ? 'met' : 'unmet';
  }
  // Two constants compare nothing of this server.
  if (left === boundLeft && right === boundRight) return 'unknown';
  return boundLeft === boundRight ? 'met' : 'unmet';
}
