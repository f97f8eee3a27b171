/** Owns the one JSON object that a run prints for programs. */
import { z } from 'zod';
import { campaignStateSchema } from '../../../core/campaign.ts';
import { jobStateSchema } from '../../../core/job.ts';
import { factsSchema, type Reason } from '../../../core/outcome.ts';
import { familySchema } from '../../../core/server.ts';
import type { ReportData } from './report-data.ts';
import { isFine } from './state-words.ts';

/** Exactly this: a program that reads it relies on it. Facts are null where they are unknown. */
export const jsonOutputSchema = z.strictObject({
  hosts: z.enum(['sandbox', 'debian', 'shim']),
  campaign: z.strictObject({ id: z.string(), state: campaignStateSchema, reason: z.string().nullable() }),
  jobs: z.array(
    z.strictObject({
      /** Its name. */
      server: z.string(),
      family: familySchema,
      /** 0 is the canary; null when it was in no wave. */
      wave: z.number().int().nonnegative().nullable(),
      state: jobStateSchema,
      facts: z.strictObject(factsSchema.shape),
      packages: z.array(
        z.strictObject({
          name: z.string(),
          /** Null when it was not installed. */
          from: z.string().nullable(),
          /** As found afterwards; null when it is not installed, or nobody looked. */
          to: z.string().nullable(),
        }),
      ),
      /** `code: sentence`; null where the server is as it should be. */
      error: z.string().nullable(),
    }),
  ),
  cost: z.strictObject({
    listUsd: z.number().nonnegative(),
    transitions: z.number().int().nonnegative(),
    calls: z.record(z.string(), z.number().int().nonnegative()),
  }),
  /** Real seconds. */
  timings: z.record(z.string(), z.number().nonnegative()),
});
export type JsonOutput = z.infer<typeof jsonOutputSchema>;

export function jsonOutput(data: ReportData): JsonOutput {
  const { report, jobs, cost, hosts, timings } = data;
  return {
    hosts: hosts.kind,
    campaign: {
      id: report.campaign.id,
      state: report.state,
      reason: report.reason && reasonText(report.reason),
    },
    jobs: jobs.map(({ server, wave, state, facts, packages, reasons }) => ({
      server: server.name,
      family: server.family,
      wave,
      state,
      facts,
      packages: packages.map(({ name, from, to }) => ({ name, from, to })),
      error: isFine(state) ? null : reasonText(reasons[0] ?? { code: state, detail: 'no reason was given' }),
    })),
    cost: {
      // A billionth of a dollar; what is beyond it is an artefact of adding floating-point numbers.
      listUsd: Number(cost.cost.total.toFixed(9)),
      transitions: cost.units['state-transitions'] ?? 0,
      calls: { ...cost.calls },
    },
    timings: { ...timings },
  };
}

function reasonText({ code, detail }: Reason): string {
  return `${code}: ${detail}`;
}
