/** Owns the JSON Schemas of summary and result, made of the schemas that the control plane itself reads with. */
import * as z from 'zod';
import { resultSchema } from '../core/result.ts';
import { summarySchema } from '../core/summary.ts';

/** By the name of their file: as servers write the summary, and as `readSections` gives a result. */
export function jsonSchemas(): Readonly<Record<string, unknown>> {
  return {
    'summary.schema.json': z.toJSONSchema(summarySchema, { io: 'input', unrepresentable: 'any' }),
    'result.schema.json': z.toJSONSchema(resultSchema, { io: 'output', unrepresentable: 'any' }),
  };
}
