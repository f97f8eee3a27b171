/** Owns what a team asks of a server beside its packages: services that must run, probes that must succeed. */
import * as z from 'zod';
import { onlySchema } from './only.ts';

const probeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not a probe name: lower case, digits and dashes');
const base = {
  name: probeName,
  /** Seconds that one try may take. */
  timeoutSeconds: z.number().int().min(1).max(120).default(10),
  /** A service may need a moment after its start: tries, five seconds apart. */
  tries: z.number().int().min(1).max(30).default(3),
  only: onlySchema.optional(),
};

/** Printable ASCII without space: what is passed to curl as one word. */
const url = z
  .url({ protocol: /^https?$/ })
  .max(400)
  .regex(/^[!-~]+$/, 'has characters that have to be escaped in a URL');

export const probeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...base,
    kind: z.literal('http'),
    url,
    /** HTTP status that is expected. */
    status: z.number().int().min(100).max(599).default(200),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('tcp'),
    host: z
      .string()
      .max(253)
      .regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, 'is not a host name or address')
      .default('127.0.0.1'),
    port: z.number().int().min(1).max(65_535),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('command'),
    /** Absolute path and arguments; started as it is, by no shell. */
    command: z
      .array(
        z
          .string()
          .max(255)
          .regex(/^[ -~]*$/, 'has characters other than printable ASCII'),
      )
      .min(1)
      .max(20)
      .refine(([path]) => path?.startsWith('/') === true, 'must begin with an absolute path'),
  }),
]);
export type Probe = z.infer<typeof probeSchema>;

export const validationSchema = z.strictObject({
  /** Units of systemd that must be active, `nginx.service`. */
  services: z
    .array(
      z.strictObject({
        unit: z
          .string()
          .regex(
            /^[A-Za-z0-9][A-Za-z0-9:._@\\-]{0,200}\.(service|socket|timer|target|mount|path)$/,
            'is not a unit: write it like nginx.service',
          ),
        only: onlySchema.optional(),
      }),
    )
    .max(50)
    .default([]),
  probes: z.array(probeSchema).max(20).default([]),
  /** CloudWatch alarms that must not be in ALARM for a wave to begin or to be called verified; unknown holds it as well. */
  alarms: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(255),
        /** `123456789012`; the account and Region of the stack where they are left out. */
        account: z
          .string()
          .regex(/^\d{12}$/)
          .optional(),
        region: z
          .string()
          .regex(/^[a-z]{2}(-[a-z]+)+-\d$/)
          .optional(),
      }),
    )
    .max(50)
    .default([]),
});
export type Validation = z.infer<typeof validationSchema>;
