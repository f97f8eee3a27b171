/** Owns how real script files become SSM documents: libraries inlined, comments dropped, parameters checked first. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const parameterSchema = z.strictObject({
  type: z.literal('String'),
  description: z.string(),
  interpolationType: z.literal('ENV_VAR').optional(),
  default: z.string().optional(),
  allowedPattern: z.string().startsWith('^').endsWith('$'),
});

const stepSchema = z.strictObject({
  action: z.literal('aws:runShellScript'),
  name: z.string(),
  precondition: z.record(z.string(), z.array(z.string())),
  inputs: z.strictObject({ timeoutSeconds: z.string(), runCommand: z.array(z.string()) }),
});

const templateSchema = z.strictObject({
  schemaVersion: z.literal('2.2'),
  description: z.string(),
  mainSteps: z.array(stepSchema).min(1),
});

const parametersSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/), parameterSchema);

type DocumentParameters = z.infer<typeof parametersSchema>;
export type DocumentContent = z.infer<typeof templateSchema> & { readonly parameters: DocumentParameters };

export interface AssembledDocument {
  /** Family and phase, `Debian-Prepare`; who deploys it puts a prefix before it. */
  readonly name: string;
  readonly content: DocumentContent;
}

/** Every `<family>/<phase>.yaml` under the folder, in the order of their names. */
export function assembleDocuments(folder: string): readonly AssembledDocument[] {
  const parameters = parametersSchema.parse(parse(readFileSync(join(folder, 'parameters.yaml'), 'utf8')));
  const families = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return families
    .flatMap(({ name: family }) =>
      readdirSync(join(folder, family))
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => ({ family, phase: file.slice(0, -'.yaml'.length) })),
    )
    .toSorted((a, b) => (`${a.family}/${a.phase}` < `${b.family}/${b.phase}` ? -1 : 1))
    .map(({ family, phase }) => ({
      name: `${capitalised(family)}-${capitalised(phase)}`,
      content: assembleDocument(folder, join(family, `${phase}.yaml`), parameters),
    }));
}

function assembleDocument(folder: string, template: string, parameters: DocumentParameters): DocumentContent {
  const { mainSteps, ...rest } = templateSchema.parse(parse(readFileSync(join(folder, template), 'utf8')));
  return {
    ...rest,
    parameters,
    mainSteps: mainSteps.map((step) => ({
      ...step,
      inputs: { ...step.inputs, runCommand: scriptLines(folder, step.inputs.runCommand, parameters) },
    })),
  };
}

/** Puts scripts and the reading of parameters in place of the `%…%` lines of a template. */
function scriptLines(folder: string, lines: readonly string[], parameters: DocumentParameters): string[] {
  const inlined = new Set<string>();
  return lines.flatMap((line) => {
    if (line === '%parameters%')
      return [...inline(folder, 'lib/parameters.sh', inlined), ...parameterLines(parameters)];
    const script = /^%script (.+)%$/.exec(line)?.[1];
    return script === undefined ? [line] : inline(folder, script, inlined);
  });
}

/**
 * Lines of a script with the files it sources put in their place, each once. Comments and indentation stay in the
 * repository: a document has 64 KB.
 */
function inline(folder: string, file: string, inlined: Set<string>): string[] {
  if (inlined.has(file)) return [];
  inlined.add(file);
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const sourced = /^source "\$SCRIPTS\/([a-z/-]+\.sh)"$/.exec(line)?.[1];
      if (sourced !== undefined) return inline(folder, sourced, inlined);
      return /^\s*(# .*|#!.*|#)?$/.test(line) ? [] : [line.trimStart()];
    });
}

function parameterLines(parameters: DocumentParameters): string[] {
  const read = Object.entries(parameters).filter(
    ([, { interpolationType }]) => interpolationType === 'ENV_VAR',
  );
  return [
    ...read.map(([name]) => `${name}=''`),
    'declare -A PARAMETER_PATTERNS=(',
    ...read.map(([name, { allowedPattern }]) => `[${name}]='${allowedPattern}'`),
    ')',
    "read_parameters <<'QUARTERDECK_PARAMETERS_END'",
    ...read.map(([name]) => `${name}={{ ${name} }}`),
    'QUARTERDECK_PARAMETERS_END',
  ];
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
