/** Owns the fields that states have in common: how they are checked, compiled, and reported where they are wrong. */
import type { z } from 'zod';
import type { Catcher, Handled, Results, Typed } from './definition.ts';
import type { StateShape } from './definition-schema.ts';
import type { ExpressionWorld } from './expression-functions.ts';
import { isObject, type Json } from './json.ts';
import { type Compilation, compileTemplate, type Kind, type Template, typed } from './template.ts';

export const text: Kind<string> = {
  expected: 'a string',
  is: (value) => typeof value === 'string',
};

export const truth: Kind<boolean> = {
  expected: 'a boolean',
  is: (value) => typeof value === 'boolean',
};

export const list: Kind<Json[]> = {
  expected: 'an array',
  is: (value) => Array.isArray(value),
};

export const percentage: Kind<number> = {
  expected: 'a number from 0 to 100',
  is: (value): value is number => typeof value === 'number' && value >= 0 && value <= 100,
};

export const wholeFrom = (least: number): Kind<number> => ({
  expected: `a whole number from ${least}`,
  is: (value): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 99_999_999,
});

// Upper-case T and Z, as the language's specification narrows RFC 3339.
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
export const timestamp: Kind<string> = {
  expected: 'a timestamp such as 2026-11-03T22:00:00Z',
  is: (value): value is string => typeof value === 'string' && instant.test(value),
};

export class FieldCompiler implements Compilation {
  readonly problems: string[] = [];
  readonly world: ExpressionWorld;

  constructor(world: ExpressionWorld) {
    this.world = world;
  }

  check<T extends z.ZodType>(schema: T, value: unknown, owner: string): z.output<T> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const place = [owner, issue.path.join('/')].filter(Boolean).join(': ');
      this.problems.push(place ? `${place}: ${issue.message}` : issue.message);
    }
    return undefined;
  }

  template(state: string, location: string, value: Json): Template {
    return compileTemplate(value, state, location, this);
  }

  required<T extends Json>(state: string, location: string, value: Json, kind: Kind<T>): Typed<T> {
    return typed(this.template(state, location, value), location, kind);
  }

  /** The field under `key`, or nothing at all where the definition does not have it. */
  optional<K extends string, T extends Json>(
    key: K,
    state: string,
    location: string,
    value: Json | undefined,
    kind: Kind<T>,
  ): { [P in K]?: Typed<T> } {
    if (value === undefined) return {};
    return { [key]: this.required(state, location, value, kind) } as { [P in K]: Typed<T> };
  }

  step(state: string, shape: { Next?: string | undefined; End?: true | undefined }): { next?: string } {
    if ((shape.Next === undefined) === (shape.End === undefined)) {
      this.problems.push(`${state}: must have either Next or End`);
    }
    return shape.Next === undefined ? {} : { next: shape.Next };
  }

  /** @param prefix where the fields stand within the state: nothing, `Catch[0]/`, `Choices[1]/` */
  results(
    state: string,
    shape: { Assign?: Record<string, Json> | undefined; Output?: Json | undefined },
    prefix: string,
  ): Results {
    const assign = Object.entries(shape.Assign ?? {}).map(
      ([name, value]) => [name, this.template(state, `${prefix}Assign/${name}`, value)] as const,
    );
    return {
      ...(shape.Assign ? { assign: Object.fromEntries(assign) } : {}),
      ...(shape.Output === undefined
        ? {}
        : { output: this.template(state, `${prefix}Output`, shape.Output) }),
    };
  }

  handled(
    state: string,
    shape: Extract<StateShape, { Type: 'Task' | 'Map' | 'Parallel' }>,
  ): Omit<Handled, 'name'> {
    for (const [index, retrier] of (shape.Retry ?? []).entries()) {
      const { MaxDelaySeconds, IntervalSeconds = 1 } = retrier;
      if (MaxDelaySeconds !== undefined && MaxDelaySeconds <= IntervalSeconds) {
        this.problems.push(`${state}: Retry[${index}]: MaxDelaySeconds must be greater than IntervalSeconds`);
      }
    }
    return {
      ...this.results(state, shape, ''),
      ...this.step(state, shape),
      retry: shape.Retry ?? [],
      catch: (shape.Catch ?? []).map(
        (catcher, index): Catcher => ({
          errorEquals: catcher.ErrorEquals,
          next: catcher.Next,
          ...this.results(state, catcher, `Catch[${index}]/`),
        }),
      ),
    };
  }
}

/** The objects of a raw state that may have Next and Assign: itself, its choice rules, its catchers. */
function exitsOf(state: unknown): Record<string, unknown>[] {
  if (!isObject(state)) return [];
  const lists = [state.Choices, state.Catch].filter(Array.isArray).flat();
  return [state, ...lists.filter(isObject)];
}

/** The names that a raw state goes to. */
export function targetsOf(state: unknown): string[] {
  const named = exitsOf(state).map(({ Next }) => Next);
  return [...named, isObject(state) ? state.Default : undefined].filter((next) => typeof next === 'string');
}

/** The variables that a raw state assigns. */
export function assignedBy(state: unknown): string[] {
  return exitsOf(state).flatMap(({ Assign }) => (isObject(Assign) ? Object.keys(Assign) : []));
}
