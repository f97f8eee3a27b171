/** Owns Run Command as it is on a bad day: refusals, and answers that are lost after the work was done. */
import { type Commands, PortError } from '../../core/ports.ts';

export interface CommandFaults {
  /** The next sends are refused; nothing runs. */
  throttled?: number;
  /** The next sends are carried out, but the caller hears an error. */
  ambiguous?: number;
}

export function faultyCommands(commands: Commands, faults: CommandFaults): Commands {
  return {
    ...commands,
    async send(place, request) {
      if ((faults.throttled ?? 0) > 0) {
        faults.throttled = (faults.throttled ?? 0) - 1;
        throw new PortError('throttled', 'rate exceeded');
      }
      const commandId = await commands.send(place, request);
      if ((faults.ambiguous ?? 0) > 0) {
        faults.ambiguous = (faults.ambiguous ?? 0) - 1;
        throw new PortError('ambiguous', 'the connection was closed before the answer came');
      }
      return commandId;
    },
  };
}
