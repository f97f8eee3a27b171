/** Owns the lints of workflow variables: that each is assigned on every path to where it is read. */
import { expressionIn, parseExpression } from '../expression.ts';
import { functionNames } from '../expression-functions.ts';
import { edgesOf, type Finding, type Scope, stringsIn } from './scope.ts';

export function lintVariables(scope: Scope): Finding[] {
  const onEntry = assignedOnEntry(scope);
  return Object.entries(scope.states).flatMap(([state, value]) => {
    const assigned = onEntry.get(state);
    const hidden = edgesOf(value)
      .flatMap(({ assigns }) => assigns)
      .filter((name) => functionNames.has(name))
      .map((name) => ({ state, path: `Assign/${name}`, message: `hides the function $${name}` }));
    // A state that nothing reaches has its own finding.
    if (!assigned) return hidden;
    const missing = stringsIn(value).flatMap(({ path, value: text }) => {
      const source = expressionIn(text);
      if (source === undefined) return [];
      return [...parseExpression(source).needed]
        .filter((name) => !assigned.has(name) && !functionNames.has(name))
        .map((name) => ({
          state,
          path,
          message: `reads $${name}, which is not assigned on every path to this state`,
        }));
    });
    return [...hidden, ...missing];
  });
}

/**
 * For each state that can be reached, the variables that every path to it has assigned. Each pass can only shrink
 * a set, so the passes end; a loop back to a state keeps what both its ways in have.
 */
function assignedOnEntry(scope: Scope): Map<string, ReadonlySet<string>> {
  const onEntry = new Map<string, ReadonlySet<string>>([[scope.startAt, inherited(scope)]]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, state] of Object.entries(scope.states)) {
      const before = onEntry.get(name);
      if (!before) continue;
      for (const { to, assigns } of edgesOf(state)) {
        const arriving = new Set([...before, ...assigns]);
        const known = onEntry.get(to);
        const both = known ? new Set([...known].filter((variable) => arriving.has(variable))) : arriving;
        if (known && both.size === known.size) continue;
        onEntry.set(to, both);
        changed = true;
      }
    }
  }
  return onEntry;
}

/** A branch or inline iteration sees what its Parallel or Map saw; a distributed child sees nothing. */
function inherited({ kind, outer }: Scope): ReadonlySet<string> {
  if (kind === 'distributed' || !outer) return new Set();
  return assignedOnEntry(outer.scope).get(outer.state) ?? new Set();
}
