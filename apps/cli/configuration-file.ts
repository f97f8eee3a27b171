/** Owns which configuration a command goes by: the file that was named, `quarterdeck.yaml`, or the defaults. */
import { defaultEnvironments } from '../../core/calendar/calendar-policy.ts';
import {
  defaultCalendar,
  type PlanningCalendar,
  planningCalendar,
} from '../../core/calendar/planning-calendar.ts';
import { type Configuration, parseConfiguration, problemText } from '../../core/configuration.ts';

export interface ReadConfiguration {
  readonly calendar: PlanningCalendar;
  /** Absent where there is no file, and where it is not about AWS. */
  readonly configuration?: Configuration;
}

const defaultConfig = 'quarterdeck.yaml';

/** A calendar is planned without an account: where nothing is asked of AWS, a file may be about the calendar alone. */
const unsaidHere = {
  schema: 1,
  home: { account: '000000000000', region: 'us-east-1' },
  environments: Object.fromEntries(defaultEnvironments.map((name) => [name, {}])),
};

/**
 * @param config as it was named; undefined when it was not
 * @param onAws whether the file has to say where the stack is
 */
export function readConfiguration(
  config: string | undefined,
  files: { readText(path: string): string; exists(path: string): boolean },
  onAws: boolean,
): ReadConfiguration | { readonly problems: readonly string[] } {
  const file = config ?? (files.exists(defaultConfig) ? defaultConfig : undefined);
  if (file === undefined) return { calendar: defaultCalendar };
  let text: string;
  try {
    text = files.readText(file);
  } catch (error) {
    return { problems: [`--config ${JSON.stringify(file)} can not be read: ${(error as Error).message}`] };
  }
  const parsed = parseConfiguration(text, onAws ? {} : unsaidHere);
  if ('problems' in parsed) return { problems: parsed.problems.map((problem) => problemText(file, problem)) };
  const { configuration } = parsed;
  return {
    calendar: planningCalendar(configuration.calendar, configuration.environments),
    ...(onAws && { configuration }),
  };
}
