/** Shows inventory, schedules, plans and feeds to whoever asks. */
import { answer } from '../core/call-message.ts';
import { showCalendar, showCalendarInput } from '../core/use-cases/show-calendar.ts';
import { calendarPorts } from './compose-calendar.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'show-calendar',
  compose: calendarPorts,
  run: (ports, event, now) =>
    answer(ports.objects, event, async (input) =>
      showCalendar(ports, await ports.calendar(), showCalendarInput.parse(input), now),
    ),
});
