/** Owns how functions come by the inventory, the calendar and what a sync sees. */
import { type PlanningCalendar, planningCalendar } from '../core/calendar/planning-calendar.ts';
import type { Ports } from '../core/ports.ts';
import type { NodesIn } from '../core/use-cases/sync-inventory.ts';
import { createEc2Calls, parseTag } from './aws/ec2-instances.ts';
import { perPlace } from './aws/place-clients.ts';
import { createSeenNodes } from './aws/seen-nodes.ts';
import { createNodeCalls } from './aws/ssm-nodes.ts';
import { locate, objects, records, type WorldWith } from './compose.ts';
import { settings } from './compose-settings.ts';

export interface CalendarPorts extends Pick<Ports, 'records' | 'objects'> {
  readonly calendar: () => Promise<PlanningCalendar>;
}

export function calendarPorts(
  world: WorldWith<'stateTable' | 'campaignBucket' | 'campaignBucketRegion' | 'policies'>,
): CalendarPorts {
  const read = settings(world);
  return {
    records: records(world),
    objects: objects(world),
    async calendar() {
      const { calendar, policies } = await read();
      return planningCalendar(calendar, policies);
    },
  };
}

export function seenNodes(world: WorldWith<'memberRole' | 'optInTag'>): NodesIn {
  const where = locate(world);
  const callsIn = perPlace((place) => ({
    ...createEc2Calls(where(place)),
    ...createNodeCalls(where(place)),
  }));
  return createSeenNodes({ callsIn, optIn: parseTag(world.environment.optInTag) });
}
