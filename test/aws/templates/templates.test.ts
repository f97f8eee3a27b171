/** Holds every template that a configuration makes to cfn-lint: its resource schemas, its rules, its limits. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { fileOf } from '../../../cdk/repository.ts';
import { synthesise } from '../../support/synthesise.ts';
import { pythonTool } from '../python.ts';
import { lint } from './cfn-lint.ts';
import { configurations, everythingText } from './configurations.ts';
import { type Finding, ignoredFindings, sift } from './ignored-findings.ts';

const tool = pythonTool('cfn-lint');

const templates = Object.entries(configurations).flatMap(([name, make]) =>
  synthesise(make())
    .stacks.flatMap(({ files, region }) => files.map((text) => ({ text, region })))
    .map(({ text, region }, index) => ({ name: `${name} ${index}`, text, region })),
);

describe('cfn-lint', () => {
  const findings = new Map<string, readonly Finding[]>();

  beforeAll(async () => {
    for (const { name, text, region } of templates) findings.set(name, await lint(tool, text, region));
    // Each takes seconds, and more on a machine that has other work.
  }, 300_000);

  test.each(templates.map(({ name }) => name))('finds nothing unexplained in %s', (name) => {
    expect(sift(findings.get(name) ?? [], ignoredFindings).unexplained).toEqual([]);
  });

  test('still finds what is let pass: a reason that nothing needs must go', () => {
    expect(sift([...findings.values()].flat(), ignoredFindings).stale).toEqual([]);
  });

  test('finds what is wrong with a template', async () => {
    const [{ text, region }] = templates as [(typeof templates)[number]];
    const template: { Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> } =
      JSON.parse(text);
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type === 'AWS::SQS::Queue') Properties.VisibilityTimeout = 86_400;
      if (Type === 'AWS::DynamoDB::Table') Properties.BilingMode = 'PAY_PER_REQUEST';
      if (Type === 'AWS::StepFunctions::StateMachine') Properties.DefinitionString = '{"StartAt":"Gone"}';
    }
    const { unexplained } = sift(await lint(tool, JSON.stringify(template), region), ignoredFindings);
    const places = unexplained.map(({ path }) => path.replaceAll(/[0-9A-F]{8}/g, ''));
    expect(places).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/EventsQueue.*VisibilityTimeout/),
        expect.stringMatching(/StateTable.*BilingMode/),
        expect.stringMatching(/CampaignMachine.*DefinitionString/),
      ]),
    );
  });
});

test('every key that a configuration may have is in the one with everything', () => {
  const schema = z
    .object({ properties: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(fileOf('quarterdeck.schema.json'), 'utf8')));
  expect(Object.keys(parse(everythingText)).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
});
