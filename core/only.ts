/** Owns the narrowing of a policy's item to some of its servers. */
import * as z from 'zod';
import type { Server } from './server.ts';

export const onlySchema = z
  .strictObject({
    /** Ids or names, in any case. */
    servers: z.array(z.string().min(1).max(255)).max(500).default([]),
    hostGroups: z.array(z.string().min(1).max(128)).max(100).default([]),
  })
  .refine(
    ({ servers, hostGroups }) => servers.length + hostGroups.length > 0,
    'names neither servers nor hostGroups',
  );
type Only = z.infer<typeof onlySchema>;

/** Whether an item of a policy is meant for this server; without a narrowing it is meant for all. */
export function isFor({ only }: { readonly only?: Only | undefined }, server: Server): boolean {
  if (only === undefined) return true;
  const names = only.servers.map((name) => name.toLowerCase());
  const isNamed = names.includes(server.id.toLowerCase()) || names.includes(server.name.toLowerCase());
  return isNamed || (server.hostGroup !== undefined && only.hostGroups.includes(server.hostGroup));
}
