/** Owns what functions read of the configuration: an object in the campaign bucket, written when the stack is deployed. */
import * as z from 'zod';
import { calendarPolicyInputSchema } from './calendar/calendar-policy.ts';
import { teamCalendarSchema } from './calendar/team-calendar.ts';
import { hybridRoleIdSchema } from './campaign.ts';
import { policySchema } from './policy.ts';
import { placeSchema, serverSchema } from './server.ts';

/** Tags of a server that say what it is. Its environment decides what happens to it, so it has no default value. */
export const serverTagsSchema = z.object({
  environment: tagName('environment'),
  owner: tagName('owner'),
  timeZone: tagName('time-zone'),
  hostGroup: tagName('host-group'),
});

export const settingsSchema = z.object({
  schema: z.literal(1),
  /** By environment, which is also the policy's name. */
  policies: z.record(
    serverSchema.shape.environment,
    // Beside the policy and not in it: a campaign under way has its window and needs no calendar.
    policySchema.extend({ calendar: calendarPolicyInputSchema.optional() }),
  ),
  calendar: teamCalendarSchema.prefault({}),
  hybridRoleId: hybridRoleIdSchema.optional(),
  places: z.array(placeSchema).min(1),
  serverTags: serverTagsSchema,
  /** IANA name; of servers that carry no tag for it. */
  defaultTimeZone: z.string(),
});
export type Settings = z.infer<typeof settingsSchema>;

function tagName(fallback: string) {
  return z
    .string()
    .regex(/^(?!aws:)[A-Za-z0-9_.:/+@-]{1,128}$/, 'is not the key of a tag: letters, digits and _.:/+@-')
    .default(fallback);
}
