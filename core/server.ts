/** Owns what is known of a server, and of the place it lives in. */
import * as z from 'zod';

export const familySchema = z.enum(['debian', 'rhel', 'amazon', 'suse', 'arch']);
export type Family = z.infer<typeof familySchema>;

/** The account and Region that every call about a server goes to. */
export const placeSchema = z.object({
  account: z.string().regex(/^\d{12}$/, 'is not an account id: twelve digits'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is not a Region: write it like eu-central-1'),
});
export type Place = z.infer<typeof placeSchema>;

/** EC2 instance or hybrid node, as SSM names them. */
export const serverIdSchema = z
  .string()
  .regex(
    /^(i-[0-9a-f]{8}([0-9a-f]{9})?|mi-[0-9a-f]{17})$/,
    'is not an instance id (i-…) or a hybrid node id (mi-…)',
  );

export const serverSchema = z.object({
  schema: z.literal(1),
  id: serverIdSchema,
  name: z.string().min(1).max(255),
  place: placeSchema,
  family: familySchema,
  environment: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'is not an environment name: lower case, digits and dashes'),
  owner: z.string().min(1).max(255),
  /** IANA name. */
  zone: z.string().min(1).max(64),
  hostGroup: z.string().max(128).optional(),
  /** Bare metal takes longer to restart. */
  metal: z.literal(true).exactOptional(),
  /** Of their members one is patched at a time. */
  haGroups: z.array(z.string().min(1).max(255)).max(20).exactOptional(),
  tags: z.record(z.string(), z.string()).default({}),
});
export type Server = z.infer<typeof serverSchema>;

const partitions: readonly (readonly [regions: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
];

/** Where the ARNs of a Region say that they are from. */
export function partitionOf(region: string): string {
  return partitions.find(([regions]) => region.startsWith(regions))?.[1] ?? 'aws';
}

/** Groups servers that one SendCommand can serve. */
export function placeKey(place: Place): string {
  return `${place.account}/${place.region}`;
}
