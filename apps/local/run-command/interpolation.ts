/** Owns how parameters reach a step: as text put in place of `{{ name }}`, or as environment variables. */
import type { CommandDocument, DocumentStep } from './document.ts';
import type { ParameterValue, ResolvedParameters } from './parameters.ts';

/**
 * What an agent does with parameters of `interpolationType: ENV_VAR`.
 * - `text`: it is older than 3.3.2746.0, does not know them, and puts their text in place like any other.
 * - `environment`: it exports `SSM_<name>` and leaves `{{ name }}` as it is written.
 * - `both`: it exports them and puts the text in place as well.
 *
 * AWS documents only that the variable is there. Documents have to be right under all three.
 */
export type Interpolation = 'text' | 'environment' | 'both';

export interface BoundStep {
  readonly lines: readonly string[];
  readonly timeoutSeconds: string | number | undefined;
  readonly workingDirectory: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export function bindStep(
  document: CommandDocument,
  step: DocumentStep,
  values: ResolvedParameters,
  interpolation: Interpolation,
): BoundStep {
  const exported = Object.entries(values).filter(
    ([name]) => interpolation !== 'text' && document.parameters[name]?.interpolationType === 'ENV_VAR',
  );
  const hidden = new Set(interpolation === 'environment' ? exported.map(([name]) => name) : []);
  const visible = Object.fromEntries(Object.entries(values).filter(([name]) => !hidden.has(name)));
  const { runCommand, timeoutSeconds, workingDirectory } = step.inputs;
  return {
    lines: scriptLines(runCommand, visible),
    timeoutSeconds: typeof timeoutSeconds === 'string' ? substitute(timeoutSeconds, visible) : timeoutSeconds,
    workingDirectory: workingDirectory === undefined ? undefined : substitute(workingDirectory, visible),
    env: Object.fromEntries(exported.map(([name, value]) => [`SSM_${name}`, textOf(value)])),
  };
}

/** `runCommand: '{{ commands }}'` becomes the list itself, which is how AWS-RunShellScript is written. */
function scriptLines(runCommand: string | readonly string[], values: ResolvedParameters): readonly string[] {
  if (typeof runCommand !== 'string') return runCommand.map((line) => substitute(line, values));
  const name = /^\{\{\s*([a-zA-Z0-9]+)\s*\}\}$/.exec(runCommand)?.[1];
  const list = name === undefined ? undefined : values[name];
  return Array.isArray(list) ? list : [substitute(runCommand, values)];
}

/** Puts the text of parameters in place, quoting nothing: whoever writes a document must expect anything there. */
export function substitute(text: string, values: ResolvedParameters): string {
  return text.replaceAll(/\{\{\s*([a-zA-Z0-9]+)\s*\}\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? whole : textOf(value);
  });
}

function textOf(value: ParameterValue): string {
  if (typeof value === 'string') return value;
  // The agent is written in Go, whose JSON escapes these three.
  return JSON.stringify(value).replaceAll(
    /[<>&]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
}
