/** Owns a rehearsal on the embedded host's own engine, in virtual time, and what is seen of it in the history. */
import { createEngine, type Engine } from '../../../apps/local/asl/engine.ts';
import type { HistoryEvent } from '../../../apps/local/asl/history.ts';
import { isObject, type Json, type JsonObject } from '../../../apps/local/asl/json.ts';
import { createClock, type LocalClock } from '../../../apps/local/clock.ts';
import {
  Actors,
  dice,
  lasting,
  lastingUntil,
  neutral,
  type Rehearsal,
  type Seen,
  type SeenRun,
  type SeenState,
  sortedRuns,
} from './rehearsal.ts';

const beginning = Date.parse('2026-11-21T22:00:00Z');

export async function runOnFirst(rehearsal: Rehearsal): Promise<Seen> {
  const actors = new Actors(rehearsal);
  const events: HistoryEvent[] = [];
  const objects = new Map(Object.entries(rehearsal.objects ?? {}));
  // A function that never answers must not hold time: whatever else is asked here answers within the same turn.
  const clock: LocalClock = { ...createClock(beginning, () => 0), busy: (work) => work() };
  // The engine names itself with dice; the rehearsal's begin when it starts.
  let draw = () => 0;
  const engine: Engine = createEngine({
    clock,
    random: () => draw(),
    observe: (event) => events.push(event),
    async invoke(functionName, payload) {
      const { answer, token } = actors.ask(functionName, payload as Json);
      if ('error' in answer) throw Object.assign(new Error(answer.message), { name: answer.error });
      if ('result' in answer) return answer.result;
      if (token === undefined) return new Promise(() => {});
      if ('success' in answer) engine.sendTaskSuccess(token, JSON.stringify(answer.success));
      if ('failure' in answer) engine.sendTaskFailure(token, answer.failure, answer.cause);
      return null;
    },
    objects: {
      async get(bucket, key) {
        const body = objects.get(`${bucket}/${key}`);
        if (body === undefined) throw new Error('NoSuchKey');
        return body;
      },
      async put(bucket, key, body) {
        objects.set(`${bucket}/${key}`, body);
      },
    },
  });
  engine.load('Machine', rehearsal.definition);
  draw = dice(rehearsal.dice);
  const { status, output, error, cause } = await engine.start('Machine', 'one', rehearsal.input).done;
  return {
    status,
    ...(output === undefined ? {} : { output: neutral(output) }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause: neutral(cause) }),
    runs: sortedRuns(runsIn(events)),
    waits: waitsIn(events, timestamped(rehearsal.definition)).sort(),
    invocations: actors.invocations,
  };
}

type Chain = (id: number) => HistoryEvent | undefined;

function chainsOf(events: readonly HistoryEvent[]): Map<string, Chain> {
  const executions = new Map<string, Map<number, HistoryEvent>>();
  for (const event of events) {
    const own = executions.get(event.executionArn) ?? new Map<number, HistoryEvent>();
    executions.set(event.executionArn, own.set(event.id, event));
  }
  return new Map([...executions].map(([arn, own]) => [arn, (id: number) => own.get(id)]));
}

interface Sequence {
  variables: JsonObject;
  readonly states: SeenState[];
}

/** Follows the events of every sequence by what each says it follows, since those of branches interleave. */
function runsIn(events: readonly HistoryEvent[]): SeenRun[] {
  const chains = chainsOf(events);
  const sequences: Sequence[] = [];
  /** The sequence that an event of entering or leaving a state belongs to. */
  const of = new Map<HistoryEvent, { sequence: Sequence; place: number }>();
  for (const event of events) {
    const chain = chains.get(event.executionArn) as Chain;
    const previous = chain(event.previousEventId);
    if (event.type.endsWith('StateEntered')) {
      let sequence = previous?.type.endsWith('StateExited') ? of.get(previous)?.sequence : undefined;
      if (!sequence) {
        const enclosing = enclosingOf(previous, chain);
        const outer = (enclosing && of.get(enclosing)?.sequence.variables) ?? {};
        sequence = { variables: { ...outer }, states: [] };
        sequences.push(sequence);
      }
      of.set(event, { sequence, place: sequence.states.length });
      sequence.states.push({ name: event.name as string, input: neutral(event.input ?? null) });
    } else if (event.type.endsWith('StateExited')) {
      const entered = enteredBefore(event, chain);
      const { sequence, place } = of.get(entered) as { sequence: Sequence; place: number };
      sequence.variables = { ...sequence.variables, ...event.assignedVariables };
      of.set(event, { sequence, place });
      sequence.states[place] = {
        ...(sequence.states[place] as SeenState),
        output: neutral(event.output ?? null),
        variables: neutral(sequence.variables),
      };
    }
  }
  return sequences.map(({ states }) => ({ states }));
}

/** The Map or Parallel that a first state belongs to, if it is no execution's first. */
function enclosingOf(previous: HistoryEvent | undefined, chain: Chain): HistoryEvent | undefined {
  for (let event = previous; event; event = chain(event.previousEventId)) {
    if (event.type.endsWith('StateEntered')) return event;
  }
  return undefined;
}

/** Names are unique in a machine, so the first of the same name on the way back is the visit that ends here. */
function enteredBefore(exited: HistoryEvent, chain: Chain): HistoryEvent {
  for (let event = chain(exited.previousEventId); event; event = chain(event.previousEventId)) {
    if (event.type.endsWith('StateEntered') && event.name === exited.name) return event;
  }
  throw new Error(`${exited.name} was left and never entered`);
}

const attempt = /^(TaskScheduled|MapStateStarted|ParallelStateStarted)$/;

/** Names of Wait states that end at an instant. */
function timestamped(value: unknown, names = new Set<string>()): Set<string> {
  if (!isObject(value)) {
    if (Array.isArray(value)) for (const item of value) timestamped(item, names);
    return names;
  }
  for (const [name, item] of Object.entries(value)) {
    if (isObject(item) && item.Type === 'Wait' && item.Timestamp !== undefined) names.add(name);
    timestamped(item, names);
  }
  return names;
}

function waitsIn(events: readonly HistoryEvent[], until: ReadonlySet<string>): string[] {
  const chains = chainsOf(events);
  const waits: string[] = [];
  for (const event of events) {
    const chain = chains.get(event.executionArn) as Chain;
    const previous = chain(event.previousEventId);
    if (!previous) continue;
    const seconds = (event.timestamp - previous.timestamp) / 1000;
    if (event.type === 'WaitStateExited') {
      if (until.has(event.name as string)) waits.push(lastingUntil(new Date(event.timestamp).toISOString()));
      else waits.push(lasting('wait', seconds));
    } else if (attempt.test(event.type) && (seconds > 0 || !previous.type.endsWith('StateEntered'))) {
      waits.push(lasting('retry', seconds));
    }
  }
  return waits;
}
