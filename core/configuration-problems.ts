/** Owns how a wrong configuration is told: where, what stands there, what to write instead. */
import type * as z from 'zod';
import { nearest } from './near-match.ts';

export interface Located {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The part of JSON Schema that says which keys there are. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly [word: string]: unknown;
}

/**
 * Keys that mean nothing. The schemas of stored entities let them pass, since a newer release may have written them;
 * in a file that a person writes they are slips, and a setting that is silently not there is the wrong default.
 */
export function unknownKeys(
  value: unknown,
  schema: JsonSchema,
  path: readonly PropertyKey[] = [],
): Located[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((item, index) => unknownKeys(item, items, [...path, index])) : [];
  }
  if (typeof value !== 'object' || value === null || schema.type !== 'object') return [];
  const { properties = {}, additionalProperties } = schema;
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known) return unknownKeys(inner, known, [...path, key]);
    if (typeof additionalProperties === 'object') {
      return unknownKeys(inner, additionalProperties, [...path, key]);
    }
    const names = Object.keys(properties);
    const meant = nearest(key, names);
    const mend = meant === undefined ? `keys here are ${names.join(', ')}` : `did you mean ${meant}?`;
    return [{ path: [...path, key], message: `is not a key of the configuration: ${mend}` }];
  });
}

export function problemOf(issue: z.core.$ZodIssue): Located {
  return { path: issue.path, message: sentence(issue) };
}

/** `environments.production.waves.percentages[1]` */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function sentence(issue: z.core.$ZodIssue): string {
  const { input } = issue;
  if (input === undefined && issue.path.length > 0) return `is missing: ${expectation(issue)}`;
  // YAML reads digits as a number, and a number has lost its leading zeros.
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof input === 'number') {
    return 'is a number: put it in quotes';
  }
  if (issue.code === 'invalid_key' && issue.issues[0]) return sentence(issue.issues[0]);
  const own = /^(is|are|has|must|names|ends) /.test(issue.message);
  return `is ${shown(input)}: ${own ? `it ${issue.message}` : expectation(issue)}`;
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'write a whole number' : `write ${article(issue.expected)}`;
    case 'invalid_value':
      return `write ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `write ${amount(issue.origin)}${issue.minimum} or more`;
    case 'too_big':
      return `write ${amount(issue.origin)}${issue.maximum} or less`;
    default:
      return issue.message;
  }
}

function amount(origin: string): string {
  return origin === 'array' ? 'a list of ' : origin === 'string' ? 'a text with a length of ' : '';
}

function article(type: string): string {
  const words: Record<string, string> = {
    object: 'a mapping of keys to values',
    record: 'a mapping of keys to values',
    array: 'a list',
    string: 'a text',
    boolean: 'true or false',
  };
  return words[type] ?? `a ${type}`;
}

/** Short enough for a line, whatever stands there. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
