/** Owns which configuration a command goes by: the file that was named, `quarterdeck.yaml`, or the defaults. */
import {
  defaultCalendar,
  type PlanningCalendar,
  planningCalendar,
} from '../../core/calendar/planning-calendar.ts';
import { type Configuration, parseConfiguration, problemText } from '../../core/configuration.ts';

export interface ReadConfiguration {
  readonly calendar: PlanningCalendar;
  /** Absent where there is no file. */
  readonly configuration?: Configuration;
}

const defaultConfig = 'quarterdeck.yaml';

/** @param config as it was named; undefined when it was not */
export function readConfiguration(
  config: string | undefined,
  files: { readText(path: string): string; exists(path: string): boolean },
): ReadConfiguration | { readonly problems: readonly string[] } {
  const file = config ?? (files.exists(defaultConfig) ? defaultConfig : undefined);
  if (file === undefined) return { calendar: defaultCalendar };
  let text: string;
  try {
    text = files.readText(file);
  } catch (error) {
    return { problems: [`--config ${JSON.stringify(file)} can not be read: ${(error as Error).message}`] };
  }
  const parsed = parseConfiguration(text);
  if ('problems' in parsed) return { problems: parsed.problems.map((problem) => problemText(file, problem)) };
  const { configuration } = parsed;
  return {
    calendar: planningCalendar(configuration.calendar, configuration.environments),
    configuration,
  };
}
