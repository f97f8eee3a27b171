import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { planningCalendar } from '../../core/calendar/planning-calendar.ts';
import {
  checkConfiguration,
  configurationJsonSchema,
  logRetentions,
  type ParsedConfiguration,
  parseConfiguration,
  problemText,
  settingsOf,
} from '../../core/configuration.ts';
import { policySchema } from '../../core/policy.ts';
import { settingsSchema } from '../../core/settings.ts';

const home = { account: '011111111111', region: 'eu-central-1' };
const least = { schema: 1, home, environments: { production: {} } };

function configurationOf(parsed: ParsedConfiguration) {
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration;
}

function problemsOf(parsed: ParsedConfiguration): string[] {
  return 'problems' in parsed ? parsed.problems.map((problem) => problemText('q.yaml', problem)) : [];
}

describe('a configuration', () => {
  test('that says the least scans, sees servers with the tag in the place of the stack, and tells nobody', () => {
    const configuration = configurationOf(parseConfiguration(stringify(least)));
    expect(configuration).toMatchObject({
      name: 'Quarterdeck',
      places: [home],
      optInTag: { key: 'quarterdeck', value: 'enrolled' },
      notifications: { emails: [] },
      logRetentionDays: 30,
      reservedConcurrency: {},
      tags: {},
    });
    expect(configuration.environments.production).toMatchObject({
      mode: 'scan',
      approval: { required: true },
    });
    expect(configuration).not.toHaveProperty('network');
    expect(configuration).not.toHaveProperty('permissionsBoundary');
  });

  test('gives functions a policy by environment, with the name of the environment', () => {
    const configuration = configurationOf(
      checkConfiguration({ ...least, environments: { staging: { mode: 'all' }, production: {} } }),
    );
    const settings = settingsOf(configuration);
    expect(settings.policies).toEqual({
      staging: policySchema.parse({ schema: 1, name: 'staging', mode: 'all' }),
      production: policySchema.parse({ schema: 1, name: 'production', mode: 'scan' }),
    });
    expect(settings.places).toEqual([home]);
    expect(settingsSchema.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  });

  test('gives functions all that a plan needs, for the same plan as a configuration makes', () => {
    const configuration = configurationOf(
      checkConfiguration({
        ...least,
        environments: { production: { calendar: { cadence: 'monthly', serversPerWindow: 3 } }, uat: {} },
        calendar: {
          firstMonth: 'april',
          quarterYear: 'cycle-start',
          freezes: [{ every: 'year', from: '12-20', to: '01-03', reason: 'year end', zone: 'US/Eastern' }],
          holidays: [{ date: '12-25', name: 'Christmas Day', zones: ['Europe/Berlin'] }],
          haGroups: { db: ['db-1', 'db-2'] },
        },
      }),
    );
    const settings = settingsSchema.parse(JSON.parse(JSON.stringify(settingsOf(configuration))));
    expect(planningCalendar(settings.calendar, settings.policies)).toEqual(
      planningCalendar(configuration.calendar, configuration.environments),
    );
    expect(settings.calendar.haGroups).toEqual({ db: ['db-1', 'db-2'] });
  });

  test('takes no retention that CloudWatch does not take, and each that it takes', () => {
    const days = Object.values(RetentionDays).filter((value) => typeof value === 'number');
    expect(logRetentions.toSorted((a, b) => a - b)).toEqual(
      days.filter((value) => value !== RetentionDays.INFINITE).toSorted((a, b) => a - b),
    );
  });

  test.each<[changes: object, problem: string]>([
    [{ schema: 2 }, 'q.yaml: schema is 2: write 1'],
    [
      { home: { account: 11111111111, region: 'eu-central-1' } },
      'home.account is a number: put it in quotes',
    ],
    [{ home: { account: '1', region: 'eu-central-1' } }, 'home.account is "1": it is not an account id'],
    [{ home: { account: home.account } }, 'home.region is missing: write a text'],
    [
      { home: { account: home.account, region: 'eu-central' } },
      'it is not a Region: write it like eu-central-1',
    ],
    [{ name: 'my stack' }, 'name is "my stack": it is not a stack name'],
    [{ enviroments: {} }, 'enviroments is not a key of the configuration: did you mean environments?'],
    [{ notification: {} }, 'did you mean notifications?'],
    [{ notifications: { email: ['a@example.com'] } }, 'notifications.email is not a key'],
    [
      { notifications: { emails: ['nobody'] } },
      'notifications.emails[0] is "nobody": it is not an e-mail address',
    ],
    [{ notifications: { emails: 'a@example.com' } }, 'notifications.emails is "a@example.com": write a list'],
    [{ xyzzyxyzzyxyzzy: 1 }, 'keys here are schema, name, home'],
    [{ environments: {} }, 'environments is {}: it names no environment'],
    [
      { environments: { Production: {} } },
      'environments.Production is "Production": it is not an environment name',
    ],
    [{ environments: { production: null } }, 'environments.production is null: write a mapping'],
    [{ environments: { production: { name: 'p' } } }, 'environments.production.name is not a key'],
    [{ environments: { production: { mode: 'scna' } } }, 'mode is "scna": write all or security or scan'],
    [
      { environments: { production: { waves: { canray: 1 } } } },
      'waves.canray is not a key of the configuration: did you mean canary?',
    ],
    [{ environments: { production: { waves: { canary: 0 } } } }, 'waves.canary is 0: write 1 or more'],
    [
      { environments: { production: { waves: { canary: 1.5 } } } },
      'waves.canary is 1.5: write a whole number',
    ],
    [
      { environments: { production: { waves: { percentages: [50] } } } },
      'waves.percentages is [50]: it must end with 100',
    ],
    [{ environments: { production: { waves: { percentages: [] } } } }, 'is []: write a list of 1 or more'],
    [
      { environments: { production: { reboot: 'separate-window', rebootWindow: { minutes: 15 } } } },
      'rebootWindow.minutes is 15: it is too short: a reboot takes up to 21 minutes',
    ],
    [
      { environments: { production: { mode: 'all', calendar: { windowMinutes: 75 } } } },
      'calendar.windowMinutes is 75: it is too short: patching one wave may take 80 minutes with timeouts.delivery, timeouts.patch, timeouts.backup, timeouts.reboot: lengthen windows',
    ],
    [
      {
        environments: {
          production: {
            mode: 'all',
            hooks: [{ name: 'drain', when: 'before-patch', run: { path: '/opt/d' }, timeoutSeconds: 3600 }],
            calendar: { windowMinutes: 120 },
          },
        },
      },
      'may take 141 minutes with timeouts.delivery, timeouts.patch, timeouts.backup, timeouts.reboot, timeoutSeconds of hooks',
    ],
    [{ environments: { production: { approval: {} } } }, 'approval.required is missing: write true or false'],
    [
      { environments: { production: { errorBudget: { share: 10 } } } },
      'errorBudget.share is 10: write 1 or less',
    ],
    [{ places: [home, home] }, 'places[1] is "011111111111/eu-central-1": it is listed twice'],
    [{ places: [{ ...home, region: 'cn-north-1' }] }, 'it is in another partition than home'],
    [{ hybridRoleId: 'SSMServiceRole' }, 'it is not the unique id of a role'],
    [{ places: [] }, 'places is []: write a list of 1 or more'],
    [{ optInTag: { key: 'aws:patch' } }, 'optInTag.key is "aws:patch": it is not the key of a tag'],
    [{ optInTag: { key: 'a=b' } }, 'optInTag.key is "a=b"'],
    [
      { optInTag: { value: '*' } },
      'optInTag.value is "*": it is not the value of a tag that IAM can compare',
    ],
    [{ defaultTimeZone: 'Berlin' }, 'defaultTimeZone is "Berlin": it is not an IANA time zone'],
    [{ defaultTimeZone: '+01:00' }, 'it is not an IANA time zone'],
    [
      { permissionsBoundary: 'arn:aws:iam::1:policy/x' },
      'it is neither the name nor the ARN of a managed policy',
    ],
    [{ tags: { 'aws:x': 'y' } }, 'it is not the key of a tag'],
    [{ tags: { cost: 7 } }, 'tags.cost is a number: put it in quotes'],
    [{ network: { vpc: 'vpc-1' } }, 'network.vpc is "vpc-1": it is not a VPC id'],
    [{ network: {} }, 'network.subnets is missing: write a list'],
    [{ logRetentionDays: 31 }, 'logRetentionDays is 31: write 1 or 3 or 5'],
    [{ reservedConcurrency: { sweep: 0 } }, 'reservedConcurrency.sweep is 0: write 1 or more'],
  ])('with %j is refused: %s', (changes, problem) => {
    expect(problemsOf(checkConfiguration({ ...least, ...changes })).join('\n')).toContain(problem);
  });

  test('tells everything that is wrong with it at once, with lines', () => {
    const text = [
      'schema: 1',
      'home: {account: 011111111111, region: eu-central-1}',
      'environments:',
      '  production:',
      '    mode: everything',
      '    reboots: never',
      '  Staging: {}',
    ].join('\n');
    expect(problemsOf(parseConfiguration(text))).toEqual([
      'q.yaml:2: home.account is a number: put it in quotes',
      'q.yaml:5: environments.production.mode is "everything": write all or security or scan',
      'q.yaml:6: environments.production.reboots is not a key of the configuration: did you mean reboot?',
      'q.yaml:7: environments.Staging is "Staging": it is not an environment name: lower case, digits and dashes',
    ]);
  });

  test('as written comes back the same from its text, whatever it holds', () => {
    const wholeNumber = (min: number, max: number) => fc.integer({ min, max });
    const tagText = fc
      .stringMatching(/^[A-Za-z0-9_.:/+@-]{1,20}$/)
      // zod leaves out __proto__ wherever keys are free.
      .filter((text) => !text.startsWith('aws:') && text !== '__proto__');
    const maybe = { requiredKeys: [] };
    const policy = fc.record(
      {
        mode: fc.constantFrom('scan', 'all', 'security'),
        approval: fc.record({ required: fc.boolean(), timeoutSeconds: wholeNumber(60, 86_400) }),
        waves: fc.record({ canary: wholeNumber(1, 1000), soakSeconds: wholeNumber(0, 86_400) }, maybe),
        errorBudget: fc.record(
          { failures: fc.nat(), share: fc.double({ min: 0, max: 1, noNaN: true }) },
          maybe,
        ),
        reboot: fc.constantFrom('never', 'if-needed', 'always', 'separate-window'),
        requireCompliant: fc.boolean(),
      },
      maybe,
    );
    const values = fc.record(
      {
        schema: fc.constant(1 as const),
        home: fc.record({
          account: fc.stringMatching(/^\d{12}$/),
          region: fc.constantFrom('eu-central-1', 'us-east-1', 'ap-southeast-2'),
        }),
        environments: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), policy, {
          minKeys: 1,
          maxKeys: 4,
        }),
        optInTag: fc.record({ key: tagText, value: tagText }),
        tags: fc.dictionary(tagText, tagText, { maxKeys: 5 }),
        logRetentionDays: fc.constantFrom(...logRetentions),
      },
      { requiredKeys: ['schema', 'home', 'environments'] },
    );
    fc.assert(
      fc.property(values, (value) => {
        const configuration = configurationOf(parseConfiguration(stringify(value)));
        expect(configuration).toMatchObject(value);
        // What was filled in is a configuration too, and the same one.
        expect(
          configurationOf(parseConfiguration(stringify(configuration, { aliasDuplicateObjects: false }))),
        ).toEqual(configuration);
        expect(Object.keys(settingsOf(configuration).policies)).toEqual(
          Object.keys(configuration.environments),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('hostile YAML', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    .concat([...'bcdefghij'].map((name, i) => `${name}: &${name} [${`*${'abcdefghij'[i]},`.repeat(9)}]`))
    .join('\n');

  test.each([
    ['a bomb of aliases', bomb, 'uses an alias (*): write the value out'],
    [
      'an environment that is there twice',
      'environments:\n  a: {}\n  a: {}',
      'q.yaml:3: the file is not plain YAML: Map keys must be unique',
    ],
    ['a tag of its own', 'home: !!js/function x', 'q.yaml:1: the file is not plain YAML: Unresolved tag'],
    ['a second document', 'schema: 1\n---\nschema: 1', 'leave one document in the file'],
    ['nesting without end', '['.repeat(50_000), 'the file is not plain YAML'],
    ['another gigabyte', 'x'.repeat(300_000), 'is larger than 256 KiB'],
    ['nothing', '', 'the file is null: write a mapping of keys to values'],
    ['no mapping', '- schema', 'write a mapping of keys to values'],
    ['a prototype', '__proto__: {schema: 1}', '__proto__ is not a key of the configuration'],
    ['a broken quote', "home: 'x", 'q.yaml:1: the file is not plain YAML: Missing closing'],
  ])('with %s is refused', (_, text, problem) => {
    expect(problemsOf(parseConfiguration(text)).join('\n')).toContain(problem);
  });
});

describe('what is published for editors', () => {
  const root = join(import.meta.dirname, '../..');
  const read = (name: string) => readFileSync(join(root, name), 'utf8');

  test('is the schema of today: `npm run schema` writes it', () => {
    expect(JSON.parse(read('quarterdeck.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(configurationJsonSchema())),
    );
  });

  test('knows no keys but those of the configuration, however deep', () => {
    const { properties } = configurationJsonSchema();
    const environment = properties?.environments?.additionalProperties;
    expect(configurationJsonSchema().additionalProperties).toBe(false);
    expect(environment).toMatchObject({ additionalProperties: false });
    expect((environment as typeof properties)?.properties).toHaveProperty(
      'waves.additionalProperties',
      false,
    );
  });

  test('has an example that works, names the schema, and only scans', () => {
    const example = read('quarterdeck.example.yaml');
    const configuration = configurationOf(parseConfiguration(example));
    expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=./quarterdeck.schema.json');
    expect(Object.values(configuration.environments).map(({ mode }) => mode)).toEqual(['scan', 'scan']);
  });
});
