/** Owns the lints of a machine's form: comments, reachability, ends, handlers and callbacks. */
import { isObject } from '../json.ts';
import { edgesOf, type Finding, type RawState, type Scope, stringsIn } from './scope.ts';

export function lintStructure(scope: Scope): Finding[] {
  const states = Object.entries(scope.states);
  return [
    ...states.flatMap(([name, state]) => [
      ...comment(name, state),
      ...end(scope, name, state),
      ...choice(name, state),
      ...retry(name, state),
      ...catches(name, state),
      ...callback(name, state),
    ]),
    ...reachability(scope),
  ];
}

const finding = (state: string, path: string, message: string): Finding => ({ state, path, message });

function comment(name: string, { Comment }: RawState): Finding[] {
  if (typeof Comment === 'string' && Comment.trim() !== '') return [];
  return [finding(name, 'Comment', 'has no Comment: say why the state is there')];
}

function end(scope: Scope, name: string, state: RawState): Finding[] {
  if (scope.kind !== 'machine' || state.End !== true) return [];
  return [finding(name, 'End', 'ends the execution without saying how: go to a named Succeed or Fail')];
}

function choice(name: string, state: RawState): Finding[] {
  if (state.Type !== 'Choice' || state.Default !== undefined) return [];
  return [finding(name, 'Default', 'has no Default: what no rule expects fails with States.NoChoiceMatched')];
}

function retry(name: string, state: RawState): Finding[] {
  return handlers(state.Retry).flatMap((retrier, index) =>
    errorsOf(retrier).includes('States.ALL')
      ? [
          finding(
            name,
            `Retry[${index}]`,
            'retries States.ALL: name the errors that another attempt can cure',
          ),
        ]
      : [],
  );
}

function catches(name: string, state: RawState): Finding[] {
  const catchers = handlers(state.Catch);
  return catchers.flatMap((catcher, index) => {
    const errors = errorsOf(catcher);
    if (!errors.includes('States.ALL')) return [];
    const at = `Catch[${index}]`;
    const found: Finding[] = [];
    if (index < catchers.length - 1) {
      found.push(finding(name, at, 'catches States.ALL before the last catcher: those after it never match'));
    }
    if (errors.length > 1)
      found.push(finding(name, at, 'names errors beside States.ALL, which must stand alone'));
    if (!keepsError(catcher)) {
      found.push(
        finding(
          name,
          at,
          'catches States.ALL and loses the error: keep $states.errorOutput in Output or Assign',
        ),
      );
    }
    return found;
  });
}

/** Without an Output the error is the output. */
function keepsError(catcher: RawState): boolean {
  if (catcher.Output === undefined) return true;
  return stringsIn(catcher).some(({ value }) => value.includes('$states.errorOutput'));
}

function callback(name: string, state: RawState): Finding[] {
  if (typeof state.Resource !== 'string' || !state.Resource.endsWith('.waitForTaskToken')) return [];
  const found: Finding[] = [];
  if (state.TimeoutSeconds === undefined) {
    found.push(
      finding(
        name,
        'TimeoutSeconds',
        'waits for a callback without TimeoutSeconds: a lost one would wait for a year',
      ),
    );
  }
  if (
    !stringsIn(state).some(
      ({ path, value }) => path.startsWith('Arguments') && value.includes('$states.context.Task.Token'),
    )
  ) {
    found.push(
      finding(
        name,
        'Arguments',
        'waits for a callback and gives nobody the token: pass $states.context.Task.Token',
      ),
    );
  }
  return found;
}

function reachability(scope: Scope): Finding[] {
  const names = Object.keys(scope.states);
  const forward = spread([scope.startAt], (name) => edgesOf(scope.states[name] ?? {}).map(({ to }) => to));
  const ends = names.filter((name) => isEnd(scope.states[name] ?? {}));
  const before = (target: string) =>
    names.filter((name) => edgesOf(scope.states[name] ?? {}).some(({ to }) => to === target));
  const backward = spread(ends, before);
  return names.flatMap((name) => {
    if (!forward.has(name)) return [finding(name, '', 'cannot be reached from the start')];
    if (!backward.has(name))
      return [finding(name, '', 'leads to no end: every path from here goes round for ever')];
    return [];
  });
}

const isEnd = (state: RawState) => state.End === true || state.Type === 'Succeed' || state.Type === 'Fail';

function spread(from: readonly string[], next: (name: string) => readonly string[]): Set<string> {
  const seen = new Set(from);
  // A set that is walked also visits what is added meanwhile.
  for (const name of seen) for (const other of next(name)) seen.add(other);
  return seen;
}

function handlers(value: unknown): RawState[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function errorsOf(handler: RawState): unknown[] {
  return Array.isArray(handler.ErrorEquals) ? handler.ErrorEquals : [];
}
