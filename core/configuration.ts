/** Owns the configuration: the one file that says what the stack is and which policy holds for which environment. */
import * as z from 'zod';
import { calendarPolicies, calendarPolicyInputSchema } from './calendar/calendar-policy.ts';
import { quartersOf, teamCalendarSchema } from './calendar/team-calendar.ts';
import { hybridRoleIdSchema } from './campaign.ts';
import { type JsonSchema, pathText, problemOf, unknownKeys } from './configuration-problems.ts';
import { phaseSeconds } from './document.ts';
import { patchLimits, policySchema } from './policy.ts';
import { windowTooShort } from './reboot.ts';
import { partitionOf, placeSchema, serverSchema } from './server.ts';
import { type Settings, serverTagsSchema, settingsSchema } from './settings.ts';
import { readZone } from './time-zone.ts';
import { readYaml } from './yaml-text.ts';

/** What CloudWatch Logs takes. */
export const logRetentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Policies of roles, of the bucket and of the event bus name each of them, and have 10 to 20 KB. */
export const mostAccounts = 30;

/** An environment's policy: named by its key, and careful until it says otherwise. */
const environmentSchema = policySchema.omit({ schema: true, name: true }).extend({
  mode: policySchema.shape.mode
    .unwrap()
    .default('scan')
    .describe('scan changes nothing on a server: it says what an update would do'),
  calendar: calendarPolicyInputSchema
    .optional()
    .describe(
      'when its servers may be patched; what is not said has a default by the name of the environment',
    ),
});

const network = z.object({
  vpc: z.string().regex(/^vpc-[0-9a-f]{8,17}$/, 'is not a VPC id: write it like vpc-0a1b2c3d4e5f60718'),
  subnets: z
    .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'is not a subnet id: write it like subnet-0a1b2c3d'))
    .min(1)
    .max(16)
    .describe('need a way to the services that the functions call: see docs/deploy.md'),
  securityGroups: z
    .array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'is not a security group id: write it like sg-0a1b2c3d'))
    .min(1)
    .max(5),
});

const tagValue = z
  .string()
  .regex(
    /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u,
    'is not the value of a tag: letters, digits, spaces and _.:/=+@-',
  );

const configurationSchema = z
  .object({
    schema: z.literal(1).describe('form of this file'),
    name: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'is not a stack name: a letter, then letters, digits and dashes')
      .default('Quarterdeck')
      .describe('name of the stack'),
    home: placeSchema.describe('account and Region that Quarterdeck itself runs in'),
    places: z
      .array(placeSchema)
      .min(1)
      .max(500)
      .optional()
      .describe('accounts and Regions in which servers live; home, if nothing is said'),
    memberRole: z
      .string()
      .regex(/^[\w+=,.@-]{1,64}$/, 'is not the name of a role: letters, digits and +=,.@-')
      .default('QuarterdeckMember')
      .describe('role that is assumed in the other accounts among the places'),
    hybridRoleId: hybridRoleIdSchema
      .optional()
      .describe('unique id (AROA…) of the role that all hybrid nodes share; without it they are not patched'),
    optInTag: z
      .object({
        key: z
          .string()
          .regex(/^(?!aws:)[A-Za-z0-9_.:/+@-]{1,128}$/, 'is not the key of a tag that IAM can compare')
          .default('quarterdeck'),
        // No wildcards, and no =, which parts key and value.
        value: z
          .string()
          .regex(/^[A-Za-z0-9_.:/+@-]{1,256}$/, 'is not the value of a tag that IAM can compare')
          .default('enrolled'),
      })
      .prefault({})
      .describe('only servers that carry this tag are ever seen'),
    serverTags: serverTagsSchema.prefault({}).describe('keys of the tags in which a server says what it is'),
    defaultTimeZone: z
      .string()
      .refine(isZone, 'is not an IANA time zone: write it like Europe/Berlin')
      .default('UTC')
      .describe('of servers that carry no tag for it'),
    environments: z
      .record(serverSchema.shape.environment, environmentSchema)
      .refine((all) => Object.keys(all).length > 0, 'names no environment: name at least one')
      .describe('by the value of the environment tag; {} takes all defaults'),
    calendar: teamCalendarSchema.prefault({}).describe('quarters, freezes, holidays and HA groups'),
    backups: z
      .object({
        lockDays: z
          .number()
          .int()
          .min(0)
          .max(3650)
          .default(0)
          .describe(
            'for which nobody can remove a backup (Object Lock); 0 for no lock, and no lock later either',
          ),
        copyRegion: placeSchema.shape.region
          .optional()
          .describe('Region that every backup is copied to; a stack of its own goes there first'),
      })
      .prefault({}),
    notifications: z
      .object({
        emails: z
          .array(z.email('is not an e-mail address'))
          .max(50)
          .default([])
          .describe('each has to confirm its subscription'),
      })
      .prefault({}),
    permissionsBoundary: z
      .string()
      .regex(
        /^(arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]{1,512}|[\w+=,.@-]{1,128})$/,
        'is neither the name nor the ARN of a managed policy',
      )
      .optional()
      .describe('name or ARN of the managed policy that bounds every role of the stack'),
    tags: z
      .record(z.string().regex(/^(?!aws:)[A-Za-z0-9_.:/=+@ -]{1,128}$/, 'is not the key of a tag'), tagValue)
      .refine((all) => Object.keys(all).length <= 45, 'are too many: AWS allows 50, some of them its own')
      .default({})
      .describe('on every resource of the stack'),
    network: network.optional().describe('runs the functions in a VPC; without it they need none'),
    logRetentionDays: z
      .literal(logRetentions)
      .default(30)
      .describe('of the logs of functions and of the state machine'),
    reservedConcurrency: z
      .record(
        z.string().regex(/^[a-z]+(-[a-z]+)*$/, 'is not the name of a function'),
        z.number().int().min(1).max(1000),
      )
      .default({})
      .describe('by function; new accounts may have 10 in all, and AWS keeps 100 unreserved'),
  })
  .superRefine((all, context) => {
    const accounts = new Set((all.places ?? []).map(({ account }) => account));
    if (accounts.size > mostAccounts) {
      const message = `names too many accounts: name ${mostAccounts} or fewer, and give the others a stack of their own`;
      context.addIssue({ code: 'custom', path: ['places'], message, input: `${accounts.size} accounts` });
    }
    const seen = new Set<string>();
    for (const [index, place] of (all.places ?? []).entries()) {
      const name = `${place.account}/${place.region}`;
      const refuse = (message: string) =>
        context.addIssue({ code: 'custom', path: ['places', index], message, input: name });
      if (seen.has(name)) refuse('is listed twice: list it once');
      seen.add(name);
      // Roles are not assumed from one partition into another.
      if (partitionOf(place.region) !== partitionOf(all.home.region)) {
        refuse(`is in another partition than home (${all.home.region}): give it a stack of its own`);
      }
    }
    const { copyRegion } = all.backups;
    if (copyRegion !== undefined) {
      const refuse = (message: string) =>
        context.addIssue({ code: 'custom', path: ['backups', 'copyRegion'], message, input: copyRegion });
      if (copyRegion === all.home.region) refuse('is the Region of home: a copy there is lost with it');
      if (partitionOf(copyRegion) !== partitionOf(all.home.region))
        refuse(`is in another partition than home (${all.home.region}): S3 copies within one`);
    }
    for (const [name, environment] of Object.entries(all.environments)) {
      const message = windowTooShort(environment);
      const path = ['environments', name, 'rebootWindow', 'minutes'];
      if (message)
        context.addIssue({ code: 'custom', path, message, input: environment.rebootWindow.minutes });
    }
    for (const { path, message, input } of calendarProblems(all)) {
      context.addIssue({ code: 'custom', path, message, input });
    }
  })
  .transform(({ places, ...rest }) => ({ ...rest, places: places ?? [rest.home] }));

export type Configuration = z.output<typeof configurationSchema>;
export type ConfigurationInput = z.input<typeof configurationSchema>;

export interface ConfigurationProblem {
  /** `environments.production.waves.canary`; empty for the file as a whole. */
  readonly path: string;
  /** Of the file, from 1. */
  readonly line?: number;
  /** The value that is wrong, and what to write instead. */
  readonly message: string;
}

export type ParsedConfiguration =
  | { readonly configuration: Configuration }
  | { readonly problems: readonly ConfigurationProblem[] };

/**
 * All that is wrong with the text at once, in the order of its lines; or the configuration with its defaults.
 *
 * @param unsaid what the text need not say where it is asked, by key
 */
export function parseConfiguration(
  text: string,
  unsaid: Readonly<Record<string, unknown>> = {},
): ParsedConfiguration {
  const file = readYaml(text);
  if ('problem' in file) return { problems: [file.problem] };
  const { value } = file;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return checkConfiguration(isMap ? { ...unsaid, ...value } : value, file.lineOf);
}

/** The same for a value that somebody else has read: the properties of a construct, say. */
export function checkConfiguration(
  value: unknown,
  lineOf: (path: readonly PropertyKey[]) => number | undefined = () => undefined,
): ParsedConfiguration {
  const parsed = configurationSchema.safeParse(value, { reportInput: true });
  const wrong = parsed.error ? parsed.error.issues.map(problemOf) : [];
  const problems = [...unknownKeys(value, configurationJsonSchema()), ...wrong].map(({ path, message }) => {
    const line = lineOf(path);
    return { path: pathText(path), message, ...(line !== undefined && { line }) };
  });
  if (!parsed.success || problems.length > 0) {
    return { problems: problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }
  return { configuration: parsed.data };
}

/** One line for a person: `quarterdeck.yaml:12: waves.canary is 0: write 1 or more`. */
export function problemText(file: string, { path, line, message }: ConfigurationProblem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return `${place}: ${path || 'the file'} ${message}`;
}

/** What goes into the bucket for the functions to read. */
export function settingsOf(configuration: Configuration): Settings {
  const { environments, ...rest } = configuration;
  return settingsSchema.parse({
    ...rest,
    policies: Object.fromEntries(
      Object.entries(environments).map(([name, policy]) => [name, { schema: 1, name, ...policy }]),
    ),
  });
}

/** The months, 1 to 12, on whose first day the team's quarters begin. */
export function quarterStarts({ calendar }: Pick<Configuration, 'calendar'>): number[] {
  const quarters = quartersOf(calendar);
  if ('problem' in quarters) throw new Error(`of the quarters ${quarters.problem}`);
  return quarters.calendar.quarters.map(({ months }) => months[0] as number);
}

/** The form of the file for editors; unlike the stored entities it knows no keys but its own. */
export function configurationJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configurationSchema, {
    io: 'input',
    override({ jsonSchema }) {
      if (jsonSchema.properties) jsonSchema.additionalProperties = false;
    },
  });
  return { ...schema, title: 'Configuration of Quarterdeck' } as JsonSchema;
}

/** What no part of the calendar can see by itself. */
function calendarProblems({
  calendar,
  environments,
}: {
  readonly calendar: z.output<typeof teamCalendarSchema>;
  readonly environments: Readonly<Record<string, z.output<typeof environmentSchema>>>;
}): { path: PropertyKey[]; message: string; input: unknown }[] {
  const given = Object.fromEntries(Object.entries(environments).map(([name, all]) => [name, all.calendar]));
  const read = calendarPolicies(given);
  const policies = read.problems.map(({ path: [name = '', key = ''], message }) => ({
    path: ['environments', name, 'calendar', key],
    message,
    input: given[name]?.[key as keyof (typeof given)[string]] ?? 'the default',
  }));
  const windows = [...read.policies.values()].flatMap(({ name, windowMinutes }) => {
    const message = patchTooLong(name, environments[name], windowMinutes);
    return message
      ? [{ path: ['environments', name, 'calendar', 'windowMinutes'], message, input: windowMinutes }]
      : [];
  });
  const quarters = quartersOf(calendar);
  const cycle =
    'problem' in quarters
      ? [{ path: ['calendar', 'quarters'], message: quarters.problem, input: calendar.quarters }]
      : [];
  const freezes = calendar.freezes.flatMap(({ environments: names = [], zone }, index) => {
    const path = ['calendar', 'freezes', index];
    const unknown = names.filter((name) => !(name in environments));
    const known = Object.keys(environments).join(', ');
    return [
      ...unknown.map((name) => ({
        path: [...path, 'environments'],
        message: `is no environment of this file: it has ${known}`,
        input: name,
      })),
      ...(zone === undefined ? [] : zoneProblems([...path, 'zone'], zone)),
    ];
  });
  const holidays = calendar.holidays.flatMap(({ zones = [] }, index) =>
    zones.flatMap((zone) => zoneProblems(['calendar', 'holidays', index, 'zones'], zone)),
  );
  return [...policies, ...windows, ...cycle, ...freezes, ...holidays];
}

/** Every campaign of such an environment would be refused when it is made. */
function patchTooLong(
  name: string,
  environment: z.output<typeof environmentSchema> | undefined,
  windowMinutes: number,
): string | undefined {
  if (environment === undefined || environment.mode === 'scan') return undefined;
  const policy = { ...environment, schema: 1 as const, name };
  const needed = Math.ceil(phaseSeconds({ policy }, 'patch') / 60);
  if (needed <= windowMinutes) return undefined;
  return `is too short: patching one wave may take ${needed} minutes with ${patchLimits(policy)}: lengthen windows, or shorten any of these`;
}

/** A zone that is written wrong would be one in which nothing is closed. */
function zoneProblems(
  path: readonly PropertyKey[],
  zone: string,
): { path: PropertyKey[]; message: string; input: unknown }[] {
  const reading = readZone(zone);
  return 'zone' in reading ? [] : [{ path: [...path], message: reading.problem, input: zone }];
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
}
