/** Owns what the functions know of the configuration: the policies by environment, and where servers are looked for. */
import { z } from 'zod';
import { policySchema } from './policy.ts';
import { placeSchema, serverSchema } from './server.ts';

const { environment, owner, zone } = serverSchema.shape;

/** The stack writes it into the campaign bucket, so that a change of policy changes no function. */
export const policyBookSchema = z.object({
  schema: z.literal(1),
  /** By environment; several may share a policy. */
  policies: z.record(environment, policySchema),
  places: z.array(placeSchema).min(1),
  /** Names of the tags in which a server says what it is. */
  tags: z
    .object({
      environment: z.string().min(1).max(128).default('quarterdeck:environment'),
      owner: z.string().min(1).max(128).default('quarterdeck:owner'),
      zone: z.string().min(1).max(128).default('quarterdeck:time-zone'),
      hostGroup: z.string().min(1).max(128).default('quarterdeck:host-group'),
    })
    .prefault({}),
  /** What holds for a server that does not say. Its environment has no default: that decides what happens to it. */
  defaults: z.object({ owner: owner.default('unknown'), zone: zone.default('UTC') }).prefault({}),
});
export type PolicyBook = z.infer<typeof policyBookSchema>;

/** @throws Error that names the policies there are */
export function policyNamed(book: PolicyBook, name: string) {
  const entries = Object.entries(book.policies).filter(([, policy]) => policy.name === name);
  const policy = entries[0]?.[1];
  if (policy !== undefined) return { policy, environments: entries.map(([environment]) => environment) };
  const names = [...new Set(Object.values(book.policies).map((policy) => policy.name))].join(', ');
  throw new Error(
    `there is no policy ${name}: choose of ${names || 'none, the configuration has no policies'}`,
  );
}
