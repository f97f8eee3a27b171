/** Owns how real script files become SSM documents: parameters read first, libraries inlined, the work packed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { gzipSync } from 'fflate';
import { parse } from 'yaml';
import { z } from 'zod';
import { type DocumentPhase, documentPhaseSchema } from '../core/phase.ts';
import { onlyNeeded } from './needed-functions.ts';

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

type DocumentTemplate = z.infer<typeof templateSchema>;
type DocumentParameters = z.infer<typeof parametersSchema>;
export type DocumentContent = DocumentTemplate & { readonly parameters: DocumentParameters };

export interface AssembledDocument {
  /** Family and phase, `Debian-Prepare`, or `TimeZone`; who deploys it puts a prefix before it. */
  readonly name: string;
  readonly content: DocumentContent;
}

const purposes: Readonly<Record<DocumentPhase, string>> = {
  prepare: 'checks a server, plans its updates and fetches their files. Changes nothing of the system.',
  patch: 'installs exactly the sealed plan, once, and restarts the server where asked.',
  verify: 'compares a server with its sealed plan. Changes nothing.',
  rollback:
    'goes back while the server is not well: packages, then the configuration that they changed, then the kernel.',
  reboot: 'restarts a server for a reason, and proves that it is back. Changes nothing else.',
};

/** One for each folder with a `family.sh` and each phase, in the order of their names. */
export function assembleDocuments(folder: string): readonly AssembledDocument[] {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const parameters = parametersSchema.parse(parse(read('parameters.yaml')));
  const template = templateSchema.parse(parse(read('lib/document.yaml')));
  const families = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'family.sh')));
  return families.toSorted().flatMap((family) =>
    documentPhaseSchema.options.toSorted().map((phase) => {
      const description = template.description
        .replace('%family%', capitalised(family))
        .replace('%does%', purposes[phase]);
      return {
        name: `${capitalised(family)}-${capitalised(phase)}`,
        content: {
          ...withScripts({ ...template, description }, { folder, family, phase }, parameters),
          parameters,
        },
      };
    }),
  );
}

/** Asks a server of any family for its time zone. */
export function assembleTimeZoneDocument(folder: string): Omit<AssembledDocument, 'content'> & {
  /** Without parameters. */
  readonly content: DocumentTemplate;
} {
  const template = templateSchema.parse(parse(readFileSync(join(folder, 'time-zone/document.yaml'), 'utf8')));
  return { name: 'TimeZone', content: withScripts(template, { folder }, {}) };
}

interface Source {
  readonly folder: string;
  readonly family?: string;
  readonly phase?: DocumentPhase;
}

function withScripts(
  template: DocumentTemplate,
  source: Source,
  parameters: DocumentParameters,
): DocumentTemplate {
  return {
    ...template,
    mainSteps: template.mainSteps.map((step) => ({
      ...step,
      inputs: { ...step.inputs, runCommand: scriptLines(source, step.inputs.runCommand, parameters) },
    })),
  };
}

/** Puts scripts and the reading of parameters in place of the `%…%` lines of the template. */
function scriptLines(source: Source, lines: readonly string[], parameters: DocumentParameters): string[] {
  const inlined = new Set<string>();
  return lines.flatMap((template) => {
    const line = template.replace('%phase%', source.phase ?? '');
    if (line === '%parameters%')
      return [...trimmed(inline(source, 'lib/parameters.sh', inlined)), ...parameterLines(parameters)];
    const [, kind, script] = /^%(script|packed) (.+)%$/.exec(line) ?? [];
    if (script === undefined) return [line];
    const needed = trimmed(onlyNeeded(inline(source, script, inlined), lines));
    return kind === 'script' ? needed : packedLines(needed);
  });
}

/**
 * Lines of a script with the files it sources put in their place, each once. Comments and indentation stay in the
 * repository: a document has 64 KB.
 */
function inline(source: Source, file: string, inlined: Set<string>): string[] {
  if (inlined.has(file)) return [];
  inlined.add(file);
  return readFileSync(join(source.folder, file), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const sourced = /^source "\$SCRIPTS\/([$A-Za-z0-9/-]+\.sh)"$/.exec(line)?.[1];
      if (sourced !== undefined)
        return inline(source, sourced.replace('$FAMILY', source.family ?? ''), inlined);
      return /^\s*(# .*|#!.*|#)?$/.test(line) ? [] : [line];
    });
}

const trimmed = (lines: readonly string[]) => lines.map((line) => line.trimStart());

const packedWidth = 512;

/** A script that unpacks another, and runs it only as it was packed: nothing else stands in for what is missing. */
function packedLines(lines: readonly string[]): string[] {
  const script = `${lines.join('\n')}\n`;
  // Not zlib: its bytes differ between versions of Node and processors, each a new version of every document.
  const packed = Buffer.from(gzipSync(Buffer.from(script), { level: 9, mtime: 0 })).toString('base64');
  const hash = createHash('sha256').update(script).digest('hex');
  return [
    '# The rest of this script is packed, since a document has 64 KB. To read it, put the lines up to',
    '# QUARTERDECK_SCRIPT_END through: base64 -d | gzip -dc',
    "QUARTERDECK_SCRIPT=$(base64 -d <<'QUARTERDECK_SCRIPT_END' | gzip -dc",
    ...(packed.match(new RegExp(`.{1,${packedWidth}}`, 'g')) ?? []),
    'QUARTERDECK_SCRIPT_END',
    ')',
    `[[ $(printf '%s\\n' "$QUARTERDECK_SCRIPT" | sha256sum) == ${hash}* ]] ||`,
    "refuse_parameters 'the script could not be unpacked as it was packed: base64, gzip and sha256sum are needed'",
    'eval "$QUARTERDECK_SCRIPT"',
  ];
}

/** The script of a step in plain text, for whoever checks what will run. */
export function plainScript(runCommand: readonly string[]): string {
  const begin = runCommand.findIndex((line) => line.startsWith('QUARTERDECK_SCRIPT='));
  if (begin < 0) return `${runCommand.join('\n')}\n`;
  const end = runCommand.indexOf('QUARTERDECK_SCRIPT_END');
  const packed = Buffer.from(runCommand.slice(begin + 1, end).join(''), 'base64');
  return `${runCommand.slice(0, begin).join('\n')}\n${gunzipSync(packed).toString()}`;
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
