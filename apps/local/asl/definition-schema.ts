/** Owns the shape of a definition: the fields that this engine runs, and no others. */
import { z } from 'zod';
import { expressionIn } from './expression.ts';
import type { Json } from './json.ts';

const template = z.json().transform((value) => value as Json);

const expression = z.string().refine((text) => expressionIn(text) !== undefined, {
  error: (issue) => `${JSON.stringify(issue.input)} is not an expression: write {% … %}`,
});

const integer = (least: number, most = 99_999_999) =>
  z.union([z.number().int().min(least).max(most), expression], {
    error: `must be a whole number from ${least} to ${most}, or an expression`,
  });

const queryLanguage = z.literal('JSONata', { error: 'must be JSONata: this engine does not run JSONPath' });

const stateName = z
  .string()
  .min(1)
  .max(80, { error: (issue) => `state name ${JSON.stringify(issue.input)} is longer than 80 characters` });

const assign = z.record(z.string(), template).optional();

const base = { Comment: z.string().optional(), QueryLanguage: queryLanguage.optional() };
const step = { ...base, Next: stateName.optional(), End: z.literal(true).optional() };

const errorEquals = z.array(z.string().min(1)).min(1);

const retrier = z.strictObject({
  ErrorEquals: errorEquals,
  Comment: z.string().optional(),
  IntervalSeconds: z.number().int().min(1).max(99_999_999).optional(),
  MaxAttempts: z.number().int().min(0).max(99_999_999).optional(),
  BackoffRate: z.number().min(1).optional(),
  MaxDelaySeconds: z.number().int().min(1).max(31_622_400).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});

const catcher = z.strictObject({
  ErrorEquals: errorEquals,
  Comment: z.string().optional(),
  Next: stateName,
  Assign: assign,
  Output: template.optional(),
});

const handlers = { Retry: z.array(retrier).optional(), Catch: z.array(catcher).optional() };
const results = { Assign: assign, Output: template.optional() };

const task = z.strictObject({
  Type: z.literal('Task'),
  ...step,
  ...results,
  ...handlers,
  Resource: z.enum(['arn:aws:states:::lambda:invoke', 'arn:aws:states:::lambda:invoke.waitForTaskToken'], {
    error: (issue) => `this engine does not run the resource ${JSON.stringify(issue.input)}`,
  }),
  Arguments: z.strictObject({ FunctionName: z.string().min(1), Payload: template.optional() }),
  TimeoutSeconds: integer(1).optional(),
  HeartbeatSeconds: integer(1).optional(),
});

const pass = z.strictObject({ Type: z.literal('Pass'), ...step, ...results });

const wait = z.strictObject({
  Type: z.literal('Wait'),
  ...step,
  ...results,
  Seconds: integer(0).optional(),
  Timestamp: z.union([z.iso.datetime({ offset: true }), expression]).optional(),
});

const choice = z.strictObject({
  Type: z.literal('Choice'),
  ...base,
  ...results,
  Choices: z
    .array(
      z.strictObject({
        Condition: z.union([expression, z.boolean()]),
        Next: stateName,
        Comment: z.string().optional(),
        ...results,
      }),
    )
    .min(1),
  Default: stateName.optional(),
});

const succeed = z.strictObject({ Type: z.literal('Succeed'), ...base, Output: template.optional() });

const fail = z.strictObject({
  Type: z.literal('Fail'),
  ...base,
  Error: z.string().optional(),
  Cause: z.string().optional(),
});

const parallel = z.strictObject({
  Type: z.literal('Parallel'),
  ...step,
  ...results,
  ...handlers,
  Arguments: template.optional(),
  Branches: z.array(z.unknown()).min(1),
});

const bucket = { Bucket: z.string().min(1) };

const map = z.strictObject({
  Type: z.literal('Map'),
  ...step,
  ...results,
  ...handlers,
  Label: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, { error: 'must be 1 to 40 letters, digits, - or _' })
    .optional(),
  Items: z.union([z.array(template), expression]).optional(),
  ItemReader: z
    .strictObject({
      Resource: z.literal('arn:aws:states:::s3:getObject', {
        error: 'this engine reads items with arn:aws:states:::s3:getObject only',
      }),
      ReaderConfig: z.strictObject({
        InputType: z.enum(['JSON', 'JSONL'], { error: 'must be JSON or JSONL' }),
        MaxItems: integer(1, 100_000_000).optional(),
      }),
      Arguments: z.strictObject({ ...bucket, Key: z.string().min(1) }),
    })
    .optional(),
  ItemSelector: template.optional(),
  MaxConcurrency: integer(0).optional(),
  ToleratedFailureCount: integer(0, 10_000_000).optional(),
  ToleratedFailurePercentage: z.union([z.number().min(0).max(100), expression]).optional(),
  ResultWriter: z
    .strictObject({
      Resource: z.literal('arn:aws:states:::s3:putObject', {
        error: 'this engine writes results with arn:aws:states:::s3:putObject only',
      }),
      Arguments: z.strictObject({ ...bucket, Prefix: z.string().optional() }),
    })
    .optional(),
  ItemProcessor: z.unknown(),
});

export const stateSchema = z.discriminatedUnion(
  'Type',
  [task, pass, wait, choice, succeed, fail, parallel, map],
  { error: 'Type must be Task, Pass, Wait, Choice, Succeed, Fail, Parallel or Map' },
);

const block = {
  Comment: z.string().optional(),
  StartAt: stateName,
  States: z.record(z.string(), z.unknown()),
};

export const branchSchema = z.strictObject(block);

export const processorSchema = z.strictObject({
  ...block,
  ProcessorConfig: z
    .discriminatedUnion('Mode', [
      z.strictObject({ Mode: z.literal('INLINE') }),
      z.strictObject({
        Mode: z.literal('DISTRIBUTED'),
        ExecutionType: z.literal('STANDARD', { error: 'this engine runs STANDARD children only' }),
      }),
    ])
    .optional(),
});

export const machineSchema = z.strictObject({
  ...block,
  QueryLanguage: queryLanguage,
  Version: z.literal('1.0').optional(),
  TimeoutSeconds: z.number().int().min(1).max(99_999_999).optional(),
});

export type StateShape = z.output<typeof stateSchema>;
export type RetrierShape = z.output<typeof retrier>;
