/** Owns what a state machine asks for: the tasks, readers and writers of its definition, its children, logs and traces. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { fileOf } from '../../../cdk/repository.ts';
import { arnOf, type Deployed, physicalIdOf, resolved } from './template-values.ts';

interface Wanted {
  readonly action: string;
  readonly resource: string;
}

const stateSchema = z.looseObject({
  Type: z.string(),
  Resource: z.string().optional(),
  Arguments: z.looseObject({ FunctionName: z.string().optional() }).optional(),
  Label: z.string().optional(),
  ItemReader: z.object({ Resource: z.string() }).loose().optional(),
  ResultWriter: z.object({ Resource: z.string() }).loose().optional(),
  ItemProcessor: z
    .looseObject({
      ProcessorConfig: z.object({ Mode: z.string() }).loose(),
      States: z.record(z.string(), z.unknown()),
    })
    .optional(),
});

const definitionSchema = z.object({ States: z.record(z.string(), z.unknown()) });

export function machineRequests(
  stack: Deployed,
  id: string,
  properties: Readonly<Record<string, unknown>>,
): Wanted[] {
  const { DefinitionSubstitutions, TracingConfiguration, LoggingConfiguration } = resolved(
    stack,
    properties,
  ) as {
    DefinitionSubstitutions: Record<string, string>;
    TracingConfiguration?: { Enabled: boolean };
    LoggingConfiguration?: object;
  };
  const definition = definitionSchema.parse(
    JSON.parse(readFileSync(fileOf('state-machines', 'campaign.asl.json'), 'utf8')),
  );
  const substitute = (text: string) =>
    text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => String(DefinitionSubstitutions[name]));
  const context = { machine: arnOf(stack, id), name: physicalIdOf(stack, id), substitute };
  return [
    ...Object.values(definition.States).flatMap((state) => ofState(stack, state, context)),
    ...(TracingConfiguration?.Enabled ? traces : []).map(onAll),
    ...(LoggingConfiguration ? logDeliveries : []).map(onAll),
  ];
}

interface Machine {
  readonly machine: string;
  readonly name: string;
  readonly substitute: (text: string) => string;
}

const onAll = (action: string): Wanted => ({ action, resource: '*' });

/** From the developer guide's chapters on X-Ray and on logging to CloudWatch Logs. */
const traces = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];
const logDeliveries = [
  'CreateLogDelivery',
  'GetLogDelivery',
  'UpdateLogDelivery',
  'DeleteLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'DescribeResourcePolicies',
  'DescribeLogGroups',
].map((action) => `logs:${action}`);

/** A resource that is not here fails: whoever brings one says which rights it takes. */
const ofTask: Readonly<Record<string, (argument: string) => Wanted>> = {
  'arn:aws:states:::lambda:invoke': (resource) => ({ action: 'lambda:InvokeFunction', resource }),
  'arn:aws:states:::lambda:invoke.waitForTaskToken': (resource) => ({
    action: 'lambda:InvokeFunction',
    resource,
  }),
};

function ofState(stack: Deployed, value: unknown, machine: Machine): Wanted[] {
  const state = stateSchema.parse(value);
  if (state.Type === 'Task') {
    const rule = ofTask[state.Resource ?? ''];
    if (rule === undefined)
      throw new Error(`a state calls ${state.Resource}: say in machine-requests.ts which rights it takes`);
    return [rule(machine.substitute(state.Arguments?.FunctionName ?? ''))];
  }
  if (state.ItemProcessor === undefined) return [];
  if (state.ItemProcessor.ProcessorConfig.Mode !== 'DISTRIBUTED')
    throw new Error('a map that is not distributed: say in machine-requests.ts which rights it takes');
  return [
    ...ofMap(stack, state.Label, machine),
    ...Object.values(state.ItemProcessor.States).flatMap((each) => ofState(stack, each, machine)),
  ];
}

/** As the developer guide's policies for Distributed Map have it: children by the machine and its label. */
function ofMap(
  { partition, region, account }: Deployed,
  label: string | undefined,
  machine: Machine,
): Wanted[] {
  const execution = (name: string) => `arn:${partition}:states:${region}:${account}:execution:${name}`;
  const child = execution(`${machine.name}/${label}:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0`);
  return [
    { action: 'states:StartExecution', resource: machine.machine },
    { action: 'states:DescribeExecution', resource: child },
    { action: 'states:StopExecution', resource: child },
    { action: 'states:RedriveExecution', resource: child },
  ];
}
