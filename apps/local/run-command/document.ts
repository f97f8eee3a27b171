/** Owns the form of a command document: schema 2.2, as far as the local agent carries it out. */
import { parse } from 'yaml';
import { z } from 'zod';
import { RunCommandError } from './api.ts';

/** What SSM allows for a document together with its run-time parameters. */
export const documentSizeLimit = 64 * 1024;

const parameterSchema = z
  .strictObject({
    type: z.enum(['String', 'StringList', 'Integer', 'Boolean']),
    description: z.string().optional(),
    displayType: z.string().optional(),
    default: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).optional(),
    allowedPattern: z.string().refine(isRegExp, 'is not a regular expression').optional(),
    allowedValues: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
    minChars: z.coerce.number().int().optional(),
    maxChars: z.coerce.number().int().optional(),
    interpolationType: z.literal('ENV_VAR').optional(),
  })
  .refine((parameter) => parameter.interpolationType === undefined || parameter.type === 'String', {
    message: 'is not a String, and only those become environment variables',
    path: ['interpolationType'],
  });

const stepSchema = z.object({
  // Loud about actions that the local agent cannot do; SSM knows more of them.
  action: z.literal('aws:runShellScript'),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'is not a step name'),
  precondition: z.record(z.string(), z.array(z.string())).optional(),
  // Flow control is read here alone: the agent ignores `onFailure` beside `action` and `name`.
  inputs: z.strictObject({
    runCommand: z.union([z.string(), z.array(z.string())]),
    timeoutSeconds: z.union([z.string(), z.number()]).optional(),
    workingDirectory: z.string().optional(),
    onFailure: z.enum(['exit', 'successAndExit']).optional(),
    onSuccess: z.literal('exit').optional(),
    finallyStep: z.union([z.boolean(), z.enum(['true', 'false'])]).optional(),
  }),
});

const documentSchema = z
  .strictObject({
    schemaVersion: z.literal('2.2'),
    description: z.string().optional(),
    parameters: z
      .record(
        z.string().regex(/^[a-zA-Z0-9]+$/, 'is not a parameter name: letters and digits'),
        parameterSchema,
      )
      .default({}),
    mainSteps: z.array(stepSchema).min(1),
  })
  .refine(
    (document) => new Set(document.mainSteps.map(({ name }) => name)).size === document.mainSteps.length,
    {
      message: 'has two steps of one name',
      path: ['mainSteps'],
    },
  );

export type CommandDocument = z.infer<typeof documentSchema>;
export type DocumentParameter = z.infer<typeof parameterSchema>;
export type DocumentStep = z.infer<typeof stepSchema>;

/** @param content JSON or YAML @throws RunCommandError `InvalidDocumentContent` */
export function parseDocument(name: string, content: string): CommandDocument {
  let tree: unknown;
  try {
    tree = parse(content);
  } catch (error) {
    throw new RunCommandError(
      'InvalidDocumentContent',
      `document ${name} is neither JSON nor YAML: ${error}`,
    );
  }
  const parsed = documentSchema.safeParse(tree);
  if (!parsed.success)
    throw new RunCommandError(
      'InvalidDocumentContent',
      `document ${name} is not a command document of schema 2.2: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
