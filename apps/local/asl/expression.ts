/** Owns one JSONata expression: what it reads, what it may not say in Step Functions, and how it is evaluated. */
import jsonata from 'jsonata';
import { addFunctions, type ExpressionWorld, functionNames } from './expression-functions.ts';
import { isObject } from './json.ts';

interface ExpressionReads {
  /** Workflow variables that the expression reads, without the dollar sign. */
  readonly variables: ReadonlySet<string>;
  /** Those of them whose presence it does not ask about with `$exists`. */
  readonly needed: ReadonlySet<string>;
  /** What it reads of `$states`, as paths: `['input', 'x']`. An empty path is `$states` itself. */
  readonly states: readonly (readonly string[])[];
}

export interface ParsedExpression extends ExpressionReads {
  readonly source: string;
  /** What Step Functions refuses in it; empty where it may run. */
  readonly problems: readonly string[];
}

type Node = Record<string, unknown>;

const statesFields = new Set(['input', 'result', 'errorOutput', 'context']);
const contextFields: Readonly<Record<string, ReadonlySet<string>>> = {
  Execution: new Set(['Id', 'Input', 'Name', 'RoleArn', 'StartTime', 'RedriveCount']),
  State: new Set(['Name', 'EnteredTime', 'RetryCount']),
  StateMachine: new Set(['Id', 'Name']),
  Task: new Set(['Token']),
  Map: new Set(['Item']),
};

/** The expression inside `{% … %}`, or undefined: as in the service, the marks begin and end the string exactly. */
export function expressionIn(text: string): string | undefined {
  return text.length >= 4 && text.startsWith('{%') && text.endsWith('%}')
    ? text.slice(2, -2).trim()
    : undefined;
}

export function parseExpression(source: string): ParsedExpression {
  let ast: unknown;
  try {
    ast = jsonata(source).ast();
  } catch (error) {
    return {
      source,
      variables: new Set(),
      needed: new Set(),
      states: [],
      problems: [`does not parse: ${describeError(error)}`],
    };
  }
  const reader = new Reader();
  reader.read(ast, { bound: new Set(), nested: false });
  const { variables, needed, states, problems } = reader;
  return { source, variables, needed, states, problems };
}

/** Ready to be evaluated as often as its state is entered. */
export function compileExpression(
  source: string,
  world: ExpressionWorld,
): (bindings: Readonly<Record<string, unknown>>) => Promise<unknown> {
  const expression = jsonata(source);
  addFunctions(expression, world);
  return (bindings) => expression.evaluate(undefined, { ...bindings });
}

/** JSONata throws plain objects with a code and a message. */
export function describeError(error: unknown): string {
  if (!isObject(error)) return String(error);
  const { code, message } = error;
  return typeof code === 'string' ? `${code}: ${String(message)}` : String(message);
}

interface Position {
  /** Names bound by `:=`, by a lambda's parameters, or by `@` and `#`. */
  readonly bound: Set<string>;
  /** Inside a path step, predicate or sort, where `$` and bare names have something to refer to. */
  readonly nested: boolean;
}

class Reader {
  readonly variables = new Set<string>();
  readonly #asked = new Set<string>();
  readonly states: string[][] = [];
  readonly problems: string[] = [];

  get needed(): ReadonlySet<string> {
    return new Set([...this.variables].filter((name) => !this.#asked.has(name)));
  }

  read(value: unknown, at: Position): void {
    if (Array.isArray(value)) {
      for (const item of value) this.read(item, at);
      return;
    }
    if (!isObject(value)) return;
    const nested: Position = { bound: at.bound, nested: true };
    switch (value.type) {
      case 'path':
        this.#path(value.steps as Node[], at);
        this.read(value.group, nested);
        return;
      case 'variable':
        this.#variable(value, at);
        break;
      case 'name':
      case 'wildcard':
      case 'descendant':
        if (!at.nested) {
          this.problems.push(
            `\`${String(value.value)}\` stands alone: Step Functions has no context there, write $states.input or a variable`,
          );
        }
        break;
      case 'function':
      case 'partial':
        this.#call(value, at);
        return;
      case 'lambda':
        this.#lambda(value, at);
        return;
      case 'block':
        // A block is a scope: what it binds is not seen after it.
        this.read(value.expressions, { bound: new Set(at.bound), nested: at.nested });
        return;
      case 'bind':
        this.#bind(value, at);
        return;
      case 'transform':
        for (const key of ['pattern', 'update', 'delete']) this.read(value[key], nested);
        return;
      case 'sort':
      case 'filter':
        this.read(value.terms ?? value.expr, nested);
        return;
      case undefined:
        // A sort term or a group: no node of its own.
        this.read(value.expression ?? value.lhs, at);
        return;
      default:
        for (const key of ['lhs', 'rhs', 'expression', 'expressions', 'condition', 'then', 'else']) {
          this.read(value[key], at);
        }
    }
    this.#around(value, nested);
  }

  #path(steps: readonly Node[], at: Position): void {
    const [first, ...rest] = steps;
    this.read(first, at);
    if (first?.type === 'variable' && first.value === 'states' && !at.bound.has('states')) {
      const names: string[] = [];
      for (const step of first.predicate ? [] : rest) {
        if (step.type !== 'name') break;
        names.push(String(step.value));
        if (step.stages ?? step.predicate) break;
      }
      this.states.pop();
      this.#statesPath(names);
    }
    this.read(rest, { bound: at.bound, nested: true });
  }

  #statesPath(path: string[]): void {
    this.states.push(path);
    const [field, group, member] = path;
    if (field === undefined) return;
    if (!statesFields.has(field)) {
      this.problems.push(`$states has no ${field}: it has ${[...statesFields].join(', ')}`);
    }
    if (field !== 'context' || group === undefined) return;
    const known = contextFields[group];
    if (!known) this.problems.push(`$states.context has no ${group} that this engine fills`);
    else if (member !== undefined && !known.has(member)) {
      this.problems.push(`$states.context.${group} has no ${member}`);
    }
  }

  #variable(node: Node, at: Position): void {
    const name = String(node.value);
    if (name === '$') this.problems.push('$$ is not available in Step Functions');
    else if (name === '') {
      if (!at.nested) this.problems.push('$ has nothing to refer to here: write $states.input or a variable');
    } else if (at.bound.has(name)) return;
    else if (name === 'states') this.states.push([]);
    else if (name === 'eval')
      this.problems.push('$eval is not available in Step Functions: $parse reads JSON');
    // May be a function's name (`$map($xs, $string)`), and a workflow may still call a variable `count`.
    else this.variables.add(name);
  }

  #call(node: Node, at: Position): void {
    const procedure = node.procedure as Node;
    if (procedure.type === 'variable') {
      const name = String(procedure.value);
      if (!at.bound.has(name)) {
        if (name === 'eval') this.#variable(procedure, at);
        else if (!functionNames.has(name)) this.problems.push(`there is no function $${name}`);
      }
    } else this.read(procedure, at);
    if (procedure.value === 'exists') this.#ask(node.arguments as Node[]);
    this.read(node.arguments, at);
    this.#around(node, { bound: at.bound, nested: true });
  }

  /** `$exists($x)`, or of something within it. */
  #ask(subjects: readonly Node[]): void {
    for (const subject of subjects) {
      const [first] = subject.type === 'path' ? (subject.steps as Node[]) : [subject];
      if (first?.type === 'variable') this.#asked.add(String(first.value));
    }
  }

  #bind(node: Node, at: Position): void {
    const name = String((node.lhs as Node).value);
    // A function may call itself; any other value is not there yet while it is computed.
    if ((node.rhs as Node).type === 'lambda') at.bound.add(name);
    this.read(node.rhs, at);
    at.bound.add(name);
  }

  #lambda(node: Node, at: Position): void {
    const parameters = (node.arguments as Node[]).map((parameter) => String(parameter.value));
    this.read(node.body, { bound: new Set([...at.bound, ...parameters]), nested: at.nested });
  }

  /** What may hang on any step: predicates, `@$x`, `#$i`, and grouping. */
  #around(node: Node, nested: Position): void {
    for (const key of ['focus', 'index']) {
      if (typeof node[key] === 'string') nested.bound.add(node[key]);
    }
    this.read(node.stages, nested);
    this.read(node.predicate, nested);
    this.read(node.group, nested);
  }
}
