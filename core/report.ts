/** Owns the report of a campaign: what was approved, installed, rebooted and found healthy on every server. */
import * as z from 'zod';
import { campaignSchema, campaignStateSchema } from './campaign.ts';
import { instantSchema } from './instant.ts';
import { jobSchema, jobStateSchema } from './job.ts';
import { reasonSchema } from './outcome.ts';
import { askedRollbackSchema } from './rollback.ts';

/** A package of the plan as it was before and is after; null where it was or is not installed. */
const packageChangeSchema = z.object({
  name: z.string(),
  architecture: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  planned: z.string().nullable(),
  security: z.boolean(),
});
export type PackageChange = z.infer<typeof packageChangeSchema>;

export const reportJobSchema = jobSchema.omit({ campaignId: true }).extend({
  /** Planned changes and what became of them; empty where there is no plan. */
  packages: z.array(packageChangeSchema),
});
export type ReportJob = z.infer<typeof reportJobSchema>;

/** One object per prepared batch, so that a report of 100,000 servers never has to be held as a whole. */
export const reportPartSchema = z.object({ schema: z.literal(1), jobs: z.array(reportJobSchema) });

export const reportSchema = z.object({
  schema: z.literal(1),
  campaign: campaignSchema.omit({ serversKey: true, approval: true }),
  approval: z
    .object({
      root: z.string(),
      approved: z.boolean(),
      by: z.string(),
      at: instantSchema,
      reason: z.string(),
    })
    .nullable(),
  state: campaignStateSchema,
  reason: reasonSchema.nullable(),
  closedAt: instantSchema,
  counts: z.partialRecord(jobStateSchema, z.number().int().positive()),
  parts: z.array(z.string()),
  /** That people asked for after its end; counts are those of after the last. */
  rollbacks: z.array(askedRollbackSchema).exactOptional(),
});
export type Report = z.infer<typeof reportSchema>;

export const reportKey = (campaignId: string) => `campaigns/${campaignId}/report.json`;
