/** Owns what moto's CloudFormation makes of each type of resource, and how the template is put in words that it takes. */
import type { Resource, Resources } from '../support/synthesise.ts';

/**
 * `made` by moto's CloudFormation as the template says. `adapted`: made by it of other words for the same. `remade`: by
 * our loader, of the same template. `left out`: nothing of it is there.
 */
type Treatment = 'made' | 'adapted' | 'remade' | 'left out';

interface Treated {
  readonly how: Treatment;
  readonly why?: string;
}

/** A type that is not listed fails the test of the stack, until somebody has decided. */
export const treatments: Readonly<Record<string, Treated>> = {
  'AWS::DynamoDB::Table': { how: 'made' },
  'AWS::Events::Rule': { how: 'made' },
  'AWS::IAM::ManagedPolicy': { how: 'made' },
  'AWS::IAM::Policy': { how: 'made' },
  'AWS::IAM::Role': { how: 'made' },
  'AWS::KMS::Key': { how: 'adapted', why: 'moto reads its tags in the words of the KMS API' },
  'AWS::Lambda::EventSourceMapping': {
    how: 'adapted',
    why: 'switched off: the tests take what is in the queue; moto would take it too, fail, and count that',
  },
  'AWS::Lambda::Function': { how: 'made' },
  'AWS::Logs::LogGroup': { how: 'made' },
  'AWS::S3::Bucket': { how: 'made' },
  'AWS::SNS::Subscription': { how: 'made' },
  'AWS::SNS::Topic': { how: 'made' },
  'AWS::SQS::Queue': { how: 'made' },
  'AWS::SSM::Document': { how: 'adapted', why: 'moto takes the content as text alone' },
  'AWS::StepFunctions::StateMachine': {
    how: 'adapted',
    why: 'moto reads a definition neither from S3 nor with substitutions',
  },
  'AWS::Events::EventBusPolicy': { how: 'remade', why: 'moto has it in the API of EventBridge alone' },
  'AWS::S3::BucketPolicy': {
    how: 'left out',
    why: 'moto reads no conditions: what is denied without TLS would be denied to all',
  },
  'AWS::SNS::TopicPolicy': { how: 'remade', why: 'moto has it in the API of SNS alone' },
  'AWS::SQS::QueuePolicy': { how: 'remade', why: 'moto has it in the API of SQS alone' },
  'AWS::StepFunctions::StateMachineAlias': {
    how: 'remade',
    why: 'moto has it in the API of Step Functions alone',
  },
  'AWS::StepFunctions::StateMachineVersion': {
    how: 'remade',
    why: 'moto has it in the API of Step Functions alone',
  },
  'Custom::AWS': { how: 'remade', why: 'its function runs nowhere; the call that it would make is made' },
  'AWS::CloudWatch::Alarm': { how: 'left out', why: 'nothing that is tested here writes or reads a metric' },
  'AWS::Lambda::EventInvokeConfig': { how: 'left out', why: 'the tests invoke functions themselves' },
  'AWS::Scheduler::Schedule': { how: 'left out', why: "moto's schedules never run; the tests sweep" },
  'AWS::Scheduler::ScheduleGroup': { how: 'remade', why: 'moto has it in the API of Scheduler alone' },
};

/** Name of the output that carries the call of a custom resource, or the document of a policy. */
export const outputOf = (logicalId: string) => `Test${logicalId}`;

/** @param definition text of the state machine */
export function adapt(template: { readonly Resources: Resources }, definition: string): object {
  const { Resources: all, ...rest } = structuredClone(template) as {
    Resources: Record<string, Resource>;
    Outputs?: object;
  };
  const kept: Record<string, object> = {};
  const outputs: Record<string, object> = {};
  for (const [id, resource] of Object.entries(all)) {
    const how = treatments[resource.Type]?.how;
    if (how === 'made') kept[id] = resource;
    if (how === 'adapted')
      kept[id] = { ...resource, Properties: adaptations[resource.Type]?.(resource, definition) };
    // What CloudFormation would have resolved, it resolves here too.
    const { Create, PolicyDocument, Statement } = resource.Properties;
    if (how === 'remade' && Create) outputs[outputOf(id)] = { Value: Create };
    if (how === 'remade' && PolicyDocument)
      outputs[outputOf(id)] = { Value: { 'Fn::ToJsonString': PolicyDocument } };
    if (how === 'remade' && Statement) outputs[outputOf(id)] = { Value: { 'Fn::ToJsonString': Statement } };
  }
  const machine = Object.keys(all).find((id) => all[id]?.Type === 'AWS::StepFunctions::StateMachine');
  const replaced = replaceReferences({ ...rest, Resources: kept }, (id, attribute) => {
    const resource = all[id];
    if (resource === undefined || id in kept) return undefined;
    if (resource.Type === 'AWS::Scheduler::ScheduleGroup') {
      const { Name } = resource.Properties;
      const parts = ['arn:aws:scheduler', { Ref: 'AWS::Region' }, { Ref: 'AWS::AccountId' }];
      return attribute === 'Arn' ? { 'Fn::Join': [':', [...parts, `schedule-group/${Name}`]] } : Name;
    }
    if (resource.Type !== 'AWS::StepFunctions::StateMachineAlias')
      throw new Error(`something refers to ${id}, of type ${resource.Type}, which moto does not make`);
    return { 'Fn::Join': [':', [{ Ref: machine }, resource.Properties.Name]] };
  }) as { Outputs?: object; Resources: Record<string, { DependsOn?: string | string[] }> };
  for (const resource of Object.values(replaced.Resources)) {
    const dependencies = [resource.DependsOn ?? []].flat().filter((id) => id in kept);
    if (dependencies.length > 0) resource.DependsOn = dependencies;
    else delete resource.DependsOn;
  }
  return { ...replaced, Outputs: { ...replaced.Outputs, ...outputs } };
}

type Properties = Record<string, unknown>;

const adaptations: Readonly<Record<string, (resource: Resource, definition: string) => Properties>> = {
  'AWS::KMS::Key': ({ Properties: { Tags, ...rest } }) => ({
    ...rest,
    Tags: ((Tags ?? []) as { Key: string; Value: string }[]).map(({ Key, Value }) => ({
      TagKey: Key,
      TagValue: Value,
    })),
  }),
  'AWS::Lambda::EventSourceMapping': ({ Properties }) => ({ ...Properties, Enabled: false }),
  'AWS::SSM::Document': ({ Properties }) => ({
    ...Properties,
    Content: { 'Fn::ToJsonString': Properties.Content },
  }),
  'AWS::StepFunctions::StateMachine': ({ Properties }, definition) => {
    const { DefinitionS3Location: _, DefinitionSubstitutions, ...rest } = Properties;
    return { ...rest, DefinitionString: { 'Fn::Sub': [definition, DefinitionSubstitutions] } };
  },
};

/**
 * @param replace by the logical id that is referred to, and the attribute that is asked for; undefined leaves the
 * reference as it is
 */
function replaceReferences(value: unknown, replace: (id: string, attribute?: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => replaceReferences(each, replace));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: unknown; 'Fn::GetAtt'?: unknown };
  const id = typeof Ref === 'string' ? Ref : Array.isArray(attribute) ? attribute[0] : undefined;
  const wanted = Array.isArray(attribute) ? String(attribute[1]) : undefined;
  const replaced = typeof id === 'string' ? replace(id, wanted) : undefined;
  if (replaced !== undefined) return replaced;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, replaceReferences(each, replace)]),
  );
}
