/** Owns the list of servers that a person writes for the embedded host, as JSON or YAML. */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Server, serverSchema } from '../../core/server.ts';

/** Only the name is asked for: the embedded host makes the servers, so it can make up the rest. */
const listedServerSchema = serverSchema
  .extend({
    schema: z.literal(1).default(1),
    id: serverSchema.shape.id.optional(),
    place: serverSchema.shape.place.default({ account: '111122223333', region: 'eu-central-1' }),
    family: serverSchema.shape.family.default('debian'),
    environment: serverSchema.shape.environment.default('production'),
    owner: serverSchema.shape.owner.default('operations'),
    zone: serverSchema.shape.zone
      .default('Europe/Berlin')
      .refine(isZone, 'is not a time zone: write it like Europe/Berlin'),
  })
  .strict();

export type ServerList = { readonly servers: readonly Server[] } | { readonly problems: readonly string[] };

/** YAML reads JSON as well. Each problem names its place, the value there, and what to write instead. */
export function parseServerList(text: string, most: number): ServerList {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    return { problems: [`is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`] };
  }
  const parsed = z
    .array(listedServerSchema)
    .min(1)
    .max(most, `list at most ${most} servers`)
    .safeParse(content);
  if (!parsed.success)
    return { problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, content)) };
  const servers = parsed.data.map((server) =>
    serverSchema.parse({ ...server, id: server.id ?? idFor(server.name) }),
  );
  const names = doubled(servers, 'name');
  // Ids are made of names, so doubled names would be told twice.
  const problems = names.length > 0 ? names : doubled(servers, 'id');
  return problems.length > 0 ? { problems } : { servers };
}

/** The same name is the same server in every run. */
function idFor(name: string): string {
  return `i-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;
}

function doubled(servers: readonly Server[], field: 'name' | 'id'): string[] {
  return servers.flatMap((server, index) => {
    const first = servers.findIndex((other) => other[field] === server[field]);
    return first < index
      ? [`[${index}].${field} is ${brief(server[field])}, as that of [${first}]: make them differ`]
      : [];
  });
}

function problemsOf(issue: z.core.$ZodIssue, content: unknown): string[] {
  const path = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(listedServerSchema.shape).join(', ');
    return issue.keys.map((key) => `${path}${path ? '.' : ''}${key} is not known: a server has ${known}`);
  }
  const value = issue.path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step],
    content,
  );
  const shown = value === undefined ? 'is missing' : `is ${brief(value)}`;
  return [`${path || 'the file'} ${shown}: ${mendFor(issue)}`];
}

/** Zod says what it expected; a person wants to know what to write. */
function mendFor(issue: z.core.$ZodIssue): string {
  if (issue.path.length === 0)
    return issue.code === 'too_big' ? issue.message : 'write a list of servers, like [{"name": "web-1"}]';
  switch (issue.code) {
    case 'invalid_type':
      return issue.path.length === 1 ? 'write a server, like {"name": "web-1"}' : `write a ${issue.expected}`;
    case 'too_small':
      return `write at least ${issue.minimum} character${issue.minimum === 1 ? '' : 's'}`;
    case 'too_big':
      return `write at most ${issue.maximum} characters`;
    case 'invalid_value':
      return `choose one of ${issue.values.join(', ')}`;
    default:
      return issue.message;
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${String(step)}`))
    .join('');
}

function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}
