/** Gives a server its schedule, or takes it away, when a person asks for it. */
import { answer } from '../core/call-message.ts';
import { setSchedule, setScheduleInput } from '../core/use-cases/set-schedule.ts';
import { calendarPorts } from './compose-calendar.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  name: 'set-schedule',
  compose: calendarPorts,
  run: (ports, event, now) =>
    answer(ports.objects, event, async (input) =>
      setSchedule(ports, await ports.calendar(), setScheduleInput.parse(input), now),
    ),
});
