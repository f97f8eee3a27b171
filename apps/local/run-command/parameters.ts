/** Owns the values that a command gives to its document's parameters: their check, and the defaults of the others. */
import { type ParameterValues, RunCommandError } from './api.ts';
import type { CommandDocument, DocumentParameter } from './document.ts';

/** A list for a StringList; text for every other type, as the agent gets it. */
export type ParameterValue = string | readonly string[];
export type ResolvedParameters = Readonly<Record<string, ParameterValue>>;

/** @throws RunCommandError `InvalidParameters` naming the parameter and what it takes */
export function resolveParameters(document: CommandDocument, given: ParameterValues): ResolvedParameters {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(document.parameters, name));
  if (unknown !== undefined) throw refused(`the document has no parameter ${unknown}`);
  return Object.fromEntries(
    Object.entries(document.parameters).map(([name, declared]) => {
      const values = given[name] ?? defaultOf(declared);
      if (values === undefined) throw refused(`parameter ${name} has no value and no default`);
      if (declared.type === 'StringList') {
        for (const value of values) check(name, declared, value);
        return [name, values];
      }
      const [value, ...more] = values;
      if (value === undefined || more.length > 0)
        throw refused(`parameter ${name} takes one value, and was given ${values.length}`);
      check(name, declared, value);
      return [name, value];
    }),
  );
}

function defaultOf(declared: DocumentParameter): readonly string[] | undefined {
  if (declared.default === undefined) return undefined;
  return Array.isArray(declared.default) ? declared.default : [String(declared.default)];
}

function check(name: string, declared: DocumentParameter, value: string): void {
  const shown = JSON.stringify(value);
  if (declared.type === 'Integer' && !/^-?\d+$/.test(value))
    throw refused(`parameter ${name} takes a whole number, not ${shown}`);
  if (declared.type === 'Boolean' && !/^(true|false)$/i.test(value))
    throw refused(`parameter ${name} takes true or false, not ${shown}`);
  if (declared.allowedValues && !declared.allowedValues.some((allowed) => String(allowed) === value))
    throw refused(`parameter ${name} takes one of ${declared.allowedValues.join(', ')}, not ${shown}`);
  // Not anchored: a pattern without ^ and $ lets anything around it through, there as here.
  if (declared.allowedPattern !== undefined && !new RegExp(declared.allowedPattern).test(value))
    throw refused(`parameter ${name} does not match ${declared.allowedPattern}: ${shown}`);
  if (
    value.length < (declared.minChars ?? 0) ||
    value.length > (declared.maxChars ?? Number.POSITIVE_INFINITY)
  )
    throw refused(`parameter ${name} has ${value.length} characters, which its document does not allow`);
}

function refused(message: string): RunCommandError {
  return new RunCommandError('InvalidParameters', message);
}
