/** Owns payload templates: JSON in which every `{% … %}` string is an expression, evaluated when its state runs. */

import { EvaluationFailure } from './errors.ts';
import { compileExpression, describeError, expressionIn, parseExpression } from './expression.ts';
import type { ExpressionWorld } from './expression-functions.ts';
import { isObject, type Json, type JsonObject, toJson } from './json.ts';

/** What an expression sees: `$states`, and the variables in scope. */
export interface View {
  readonly states: Readonly<Record<string, unknown>>;
  variable(name: string): Json | undefined;
}

export interface Template {
  evaluate(view: View): Promise<Json>;
}

/** What a definition is compiled with: the world of its expressions, and where problems are collected. */
export interface Compilation {
  readonly world: ExpressionWorld;
  readonly problems: string[];
}

/**
 * @param location where the template stands within its state: `Arguments/Payload`
 * @param owner the state, for problems found now
 */
export function compileTemplate(
  value: Json,
  owner: string,
  location: string,
  compilation: Compilation,
): Template {
  if (typeof value === 'string') {
    const source = expressionIn(value);
    return source === undefined ? constant(value) : compileOne(source, owner, location, compilation);
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      compileTemplate(item, owner, `${location}[${index}]`, compilation),
    );
    if (items.every(isConstant)) return constant(value);
    return {
      async evaluate(view) {
        const result: Json[] = [];
        for (const item of items) result.push(await item.evaluate(view));
        return result;
      },
    };
  }
  if (isObject(value)) {
    const members = Object.entries(value).map(
      ([key, item]) =>
        [key, compileTemplate(item as Json, owner, `${location}/${key}`, compilation)] as const,
    );
    if (members.every(([, item]) => isConstant(item))) return constant(value);
    return {
      async evaluate(view) {
        const result: JsonObject = {};
        for (const [key, item] of members) result[key] = await item.evaluate(view);
        return result;
      },
    };
  }
  return constant(value);
}

const constants = new WeakSet<Template>();

function constant(value: Json): Template {
  const template: Template = { evaluate: async () => value };
  constants.add(template);
  return template;
}

const isConstant = (template: Template) => constants.has(template);

function compileOne(
  source: string,
  owner: string,
  location: string,
  { world, problems }: Compilation,
): Template {
  const parsed = parseExpression(source);
  for (const problem of parsed.problems) problems.push(`${owner}: ${location}: ${problem}`);
  if (parsed.problems.length > 0) return constant(null);
  const evaluate = compileExpression(source, world);
  const fail = (what: string) =>
    new EvaluationFailure(
      location,
      `The JSONata expression '${source}' specified for the field '${location}' ${what}`,
    );
  return {
    async evaluate(view) {
      const bindings: Record<string, unknown> = { states: view.states };
      for (const name of parsed.variables) {
        const value = view.variable(name);
        if (value !== undefined) bindings[name] = value;
      }
      let raw: unknown;
      try {
        raw = await evaluate(bindings);
      } catch (error) {
        throw fail(`threw an error during evaluation. ${describeError(error)}`);
      }
      if (raw === undefined) throw fail('returned nothing (undefined).');
      const result = toJson(raw);
      if (!result.ok) throw fail(`returned an unsupported result type: ${result.found} at '${result.path}'.`);
      return result.value;
    },
  };
}

/** What a field takes: its name in messages, and the test. */
export interface Kind<T extends Json> {
  readonly expected: string;
  is(value: Json): value is T;
}

/** A template whose field takes one kind only; anything else is a query evaluation error, as in the service. */
export function typed<T extends Json>(
  template: Template,
  location: string,
  kind: Kind<T>,
): { evaluate(view: View): Promise<T> } {
  return {
    async evaluate(view) {
      const value = await template.evaluate(view);
      if (kind.is(value)) return value;
      throw new EvaluationFailure(
        location,
        `The field '${location}' expected ${kind.expected}, but was ${JSON.stringify(value)}.`,
      );
    },
  };
}
