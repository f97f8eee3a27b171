/** Owns the lints of expressions: that they parse, stand between the right marks, and read what is there. */
import { expressionIn, parseExpression } from '../expression.ts';
import { type Finding, type Place, type RawState, type Scope, stringsIn } from './scope.ts';

export function lintExpressions(scope: Scope): Finding[] {
  return Object.entries(scope.states).flatMap(([state, value]) =>
    stringsIn(value).flatMap((place) =>
      problemsOf(scope, value, place).map((message) => ({ state, path: place.path, message })),
    ),
  );
}

function problemsOf(scope: Scope, state: RawState, place: Place): string[] {
  const source = expressionIn(place.value);
  if (source === undefined) return unmarked(place);
  const parsed = parseExpression(source);
  return [
    ...parsed.problems,
    ...parsed.states.flatMap((path) => unavailable(scope, state, place.path, path)),
  ];
}

/** The service evaluates a string only when it begins with `{%` and ends with `%}`, and keeps all others as they are. */
function unmarked({ path, value }: Place): string[] {
  if (value.includes('{%') || value.includes('%}')) {
    return ['is not evaluated: the marks must be the first and the last characters of the string'];
  }
  if (/\$states\b/.test(value)) return ['reads $states outside of {% … %}, and stays as it is'];
  if (/^\$\$?[.[]/.test(value) || /^\$[A-Za-z_][\w.]*$/.test(value)) {
    return [`looks like an expression and is not evaluated: write {% ${value} %}`];
  }
  if (/^States\.[A-Za-z]+\(/.test(value))
    return ['calls an intrinsic function of JSONPath, which JSONata does not have'];
  if (/\.\$$/.test(path)) return ['stands under a name that ends in .$, which only JSONPath evaluates'];
  return [];
}

const withResult = new Set(['Task', 'Map', 'Parallel']);

/** What of `$states` a field of this state does not have, by "Passing data between states with variables". */
function unavailable(
  scope: Scope,
  state: RawState,
  path: string,
  [field, ...rest]: readonly string[],
): string[] {
  const type = String(state.Type);
  const catching = path.startsWith('Catch[');
  const leaving = /^(Assign|Output)\b/.test(path);
  if (field === 'result') {
    if (type === 'Choice') return ['reads $states.result in a Choice, which has none'];
    if (catching) return ['reads $states.result in a catcher, where there is only $states.errorOutput'];
    if (!withResult.has(type)) return [`reads $states.result in a ${type}, which has none`];
    if (!leaving) return ['reads $states.result before there is one: only Assign and Output have it'];
  }
  if (field === 'errorOutput' && !catching) return ['reads $states.errorOutput outside of a catcher'];
  if (field !== 'context') return [];
  const name = rest.slice(0, 2).join('.');
  if (rest[0] === 'Task' && !(isCallback(state) && path.startsWith('Arguments'))) {
    return ['reads $states.context.Task outside of the Arguments of a callback task'];
  }
  if (rest[0] === 'Map' && !path.startsWith('ItemSelector') && !insideInlineMap(scope)) {
    return ['reads $states.context.Map outside of an ItemSelector or an inline iteration'];
  }
  if (name === 'State.RetryCount' && !withResult.has(type))
    return [`reads RetryCount in a ${type}, which is not retried`];
  return [];
}

const isCallback = ({ Resource }: RawState) =>
  typeof Resource === 'string' && Resource.endsWith('.waitForTaskToken');

function insideInlineMap(scope: Scope): boolean {
  if (scope.kind === 'inline') return true;
  return scope.kind === 'branch' && scope.outer !== undefined && insideInlineMap(scope.outer.scope);
}
