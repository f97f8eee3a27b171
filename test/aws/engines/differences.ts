/**
 * Owns what is known to differ between the two engines, with the reason to believe ours. A test holds that each
 * still differs in the way that is said: when moto changes, its entry goes.
 */
import type { Json } from '../../../apps/local/asl/json.ts';
import type { Rehearsal, Seen } from './rehearsal.ts';
import { call, callback, catchAll, caught, distributedMap, rehearsal } from './small.ts';

export interface Difference {
  readonly rehearsal: Rehearsal;
  /** Why ours is right, and who says so. */
  readonly reason: string;
  /** What differs, and nothing that does not. */
  seen(of: Seen): Json;
  readonly ours: Json;
  readonly theirs: Json;
}

const ending = (seen: Seen): Json => seen.error ?? seen.output ?? null;

export const differences: Readonly<Record<string, Difference>> = {
  'Output does not see what the same state assigns': {
    reason:
      'AWS, "Passing data between states with variables", evaluation order: what a state reads are the values on its ' +
      'entry (docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html; the review of floci-io/floci#1508 ' +
      'reads it so too, while its successor #1824 follows LocalStack). moto assigns first.',
    rehearsal: rehearsal({
      A: { Type: 'Pass', Assign: { x: 'old' }, Next: 'B' },
      B: { Type: 'Pass', Assign: { x: 'new' }, Output: '{% [$x] %}', End: true },
    }),
    seen: ending,
    ours: ['old'],
    theirs: ['new'],
  },
  'no match in a Choice has an error name of its own': {
    reason:
      'Amazon States Language, appendix A: States.NoChoiceMatched, "A Choice State failed to find a match for the ' +
      'condition field extracted from its input" (states-language.net). moto raises an exception of Python.',
    rehearsal: rehearsal({
      A: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'B' }] },
      B: { Type: 'Succeed' },
    }),
    seen: ending,
    ours: 'States.NoChoiceMatched',
    theirs: 'States.Runtime',
  },
  'a missed heartbeat can be caught by its name': {
    reason:
      'Amazon States Language, appendix A: States.HeartbeatTimeout, "A Task State failed to heartbeat for a time longer ' +
      'than the HeartbeatSeconds value" (states-language.net). moto knows the timeout only, which the same appendix ' +
      'says it is as well.',
    rehearsal: rehearsal(
      {
        A: callback(
          {},
          {
            HeartbeatSeconds: 60,
            Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Output: 'beat', Next: 'Caught' }],
            End: true,
          },
        ),
        Caught: caught,
      },
      {},
      () => ({ silent: true }),
    ),
    seen: ending,
    ours: { caught: 'beat' },
    theirs: 'States.Timeout',
  },
  'what an Output fails at can be caught': {
    reason:
      'Not proven. Amazon States Language, appendix A, excludes no field from States.QueryEvaluationError, "Query ' +
      'evaluation failed in a JSONata state" (states-language.net), nor it from what Catch may name; moto catches ' +
      'those of Arguments and not those of Output. No definition of ours relies on either.',
    rehearsal: rehearsal({
      A: call({ x: 1 }, { Output: '{% $states.result.nothing %}', Catch: catchAll, End: true }),
      Caught: { Type: 'Succeed', Output: '{% [$states.input.Error] %}' },
    }),
    seen: ending,
    ours: ['States.QueryEvaluationError'],
    theirs: 'States.QueryEvaluationError',
  },
  'a failing child fails a distributed Map that tolerates none': {
    reason:
      'Amazon States Language, appendix A: States.ExceedToleratedFailureThreshold, "A Map state failed because the ' +
      'number of failed items exceeded the configured tolerated failure threshold" (states-language.net), which is ' +
      'none where none is configured. moto reads thresholds and never compares them.',
    rehearsal: rehearsal(
      { A: distributedMap({ I: call({}, { End: true }) }, { Items: [1], End: true }) },
      {},
      () => ({ error: 'Broken', message: 'no' }),
    ),
    seen: ending,
    ours: 'States.ExceedToleratedFailureThreshold',
    theirs: [null],
  },
  'a member of a template may have escapes in its name': {
    reason:
      'RFC 8259, section 7: names are strings, and strings have escapes. moto keeps the backslashes of names.',
    rehearsal: rehearsal({ A: { Type: 'Pass', Output: { 'a "b"': 1 }, End: true } }),
    seen: ending,
    ours: { 'a "b"': 1 },
    theirs: { 'a \\"b\\"': 1 },
  },
  'a literal in Assign may have escapes': {
    reason:
      'RFC 8259, section 7, again. moto keeps the backslashes of strings in Assign that are no expressions.',
    rehearsal: rehearsal({
      A: { Type: 'Pass', Assign: { x: 'a "b"' }, Next: 'B' },
      B: { Type: 'Succeed', Output: '{% [$x] %}' },
    }),
    seen: ending,
    ours: ['a "b"'],
    theirs: ['a \\"b\\"'],
  },
  'a negative whole number in a template is whole': {
    reason:
      'JSON has one kind of number, and $string writes -4 as JSON.stringify does (docs.jsonata.org/string-functions). ' +
      'moto reads negative literals as fractions.',
    rehearsal: rehearsal({
      A: { Type: 'Pass', Assign: { x: [-4] }, Next: 'B' },
      B: { Type: 'Succeed', Output: '{% [$string($x)] %}' },
    }),
    seen: ending,
    ours: ['[-4]'],
    theirs: ['[-4.0]'],
  },
  'a rule and Default that go to the same state are not one': {
    reason:
      'AWS, "Choice workflow state": the Assign and Output of the state are for Default, a rule has its own. moto ' +
      'tells them by the next state; localstack/localstack#13775 has the same fault in what moto was taken from.',
    rehearsal: rehearsal({
      A: {
        Type: 'Choice',
        Choices: [{ Condition: '{% true %}', Output: ['rule'], Next: 'B' }],
        Output: ['default'],
        Default: 'B',
      },
      B: { Type: 'Succeed' },
    }),
    seen: ending,
    ours: ['rule'],
    theirs: ['default'],
  },
};
