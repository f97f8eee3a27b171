/** Synthesises the stacks of a configuration without bundling functions, as `npm run synth` does with it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, NestedStack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { repositoryRoot } from '../../cdk/repository.ts';
import { addStacks } from '../../cdk/stacks/patching-app.ts';
import { type Configuration, parseConfiguration } from '../../core/configuration.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: readonly string[];
}

export type Resources = Readonly<Record<string, Resource>>;

export interface Synthesised {
  readonly app: App;
  readonly stacks: readonly {
    /** The template, with the resources of nested stacks among its own. */
    readonly text: string;
    /** Those of nested stacks included. */
    readonly resources: Resources;
    /** Templates as they are deployed, that of the stack itself first. */
    readonly files: readonly string[];
    readonly account: string;
    readonly region: string;
  }[];
  /** Rule and path of each finding that nobody has acknowledged. */
  readonly findings: readonly string[];
  /** Id and reason of what was acknowledged. */
  readonly acknowledged: readonly (readonly [id: string, reason: string])[];
}

export function configurationFrom(text: string): Configuration {
  const parsed = parseConfiguration(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration;
}

export const exampleConfiguration = () =>
  configurationFrom(readFileSync(join(repositoryRoot, 'quarterdeck.example.yaml'), 'utf8'));

export function newApp(outdir?: string): App {
  const { context } = JSON.parse(readFileSync(join(repositoryRoot, 'cdk.json'), 'utf8'));
  return new App({
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
    ...(outdir !== undefined && { outdir }),
  });
}

export function synthesise(configuration: Configuration): Synthesised {
  const outdir = mkdtempSync(join(tmpdir(), 'quarterdeck-cdk-'));
  try {
    const app = newApp(outdir);
    addStacks(app, configuration);
    // CDK's own rules take seconds, and `npm run synth` applies them.
    process.env.CDK_VALIDATION = 'false';
    const { stacks } = app.synth();
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    return {
      app,
      stacks: stacks.map(({ id, template, templateFullPath, environment }) => {
        const nested = app.node
          .findAll()
          .filter((construct) => NestedStack.isNestedStack(construct))
          .filter((stack) => stack.nestedStackParent?.artifactId === id)
          .map(({ templateFile }) => readFileSync(join(outdir, templateFile), 'utf8'));
        const resources = withNested((template as { Resources: Resources }).Resources, nested);
        return {
          text: JSON.stringify({ ...template, Resources: resources }),
          resources,
          files: [readFileSync(templateFullPath, 'utf8'), ...nested],
          account: environment.account,
          region: environment.region,
        };
      }),
      findings: violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
      ),
      acknowledged: app.node
        .findAll()
        .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:acknowledged-rules'))
        .flatMap(({ data }) => Object.entries(data as Record<string, string>)),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** @throws when a logical id is used twice, since one of the two would be lost */
function withNested(resources: Resources, nested: readonly string[]): Resources {
  const own = Object.entries(resources).filter(([, { Type }]) => Type !== 'AWS::CloudFormation::Stack');
  const theirs = nested.flatMap((text) =>
    Object.entries((JSON.parse(text) as { Resources: Resources }).Resources).filter(
      ([, { Type }]) => Type !== 'AWS::CDK::Metadata',
    ),
  );
  const all = [...own, ...theirs];
  const ids = new Set(all.map(([id]) => id));
  if (ids.size < all.length) throw new Error('a nested stack has a logical id of another');
  return Object.fromEntries(all);
}

export function ofType(resources: Resources, type: string): [id: string, resource: Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

export interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
  readonly Principal?: unknown;
  readonly Effect: string;
}

/** Of every policy that is attached to a role whose logical id begins like this. */
export function statementsOf(resources: Resources, role: string): Statement[] {
  return Object.values(resources)
    .filter(({ Type, Properties }) => {
      const roles = JSON.stringify(Properties.Roles ?? []);
      return Type === 'AWS::IAM::Policy' && roles.includes(`"Ref":"${role}`);
    })
    .flatMap(
      ({ Properties }) =>
        (Properties as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument.Statement,
    );
}

export const actionsOf = ({ Action }: Statement): readonly string[] =>
  typeof Action === 'string' ? [Action] : Action;

export const resourcesOf = ({ Resource }: Statement): readonly unknown[] =>
  Array.isArray(Resource) ? Resource : [Resource];
