/** Owns one row of a server list: its cells become a server, or all that is wrong with them. */
import type * as z from 'zod';
import { CronError, parseCron } from '../calendar/cron.ts';
import type { ExplicitDate, QuarterColumn } from '../calendar/server-to-plan.ts';
import { placeSchema, serverIdSchema, serverSchema } from '../server.ts';
import type { ZoneReading } from '../time-zone.ts';
import { type Columns, type Field, headers } from './columns.ts';
import { cellText, quoted } from './csv-text.ts';
import { environmentName, type InventoryServer, quarterColumns } from './inventory-server.ts';
import { type PastQuarterOf, splitPast } from './past-dates.ts';
import { type PatchDate, readDate, readTime } from './patch-date.ts';
import { yesOrNo } from './yes-or-no.ts';

export interface CellProblem {
  /** The header as the file has it, or ours when it has none. */
  readonly column: string;
  readonly message: string;
}

/** What reading a row asks for; each answer is kept for the next row. */
export interface RowQuestions {
  readonly zoneOf: (text: string) => ZoneReading;
  readonly pastQuarterOf: PastQuarterOf;
}

export interface RowReading {
  /** Absent when there are problems. */
  readonly server?: InventoryServer;
  readonly problems: readonly CellProblem[];
}

const { shape } = serverSchema;
const active = new Map([
  ...['', 'active', 'yes', 'y', 'true', '1', 'enabled'].map((word) => [word, true] as const),
  ...['inactive', 'no', 'n', 'false', '0', 'disabled'].map((word) => [word, false] as const),
]);

export function readRow(
  cells: readonly string[],
  row: number,
  columns: Columns,
  questions: RowQuestions,
): RowReading {
  const problems: CellProblem[] = [];
  const values = new Map<Field, string>();
  for (const [field, at] of columns.at) values.set(field, cellText(cells[at] ?? ''));
  const value = (field: Field) => values.get(field) ?? '';
  const complain = (field: Field, message: string) => {
    problems.push({ column: columns.written[columns.at.get(field) ?? -1] ?? headers[field], message });
  };
  const check = (field: Field, text: string, schema: z.ZodType) => {
    if (text === '') return undefined;
    const result = schema.safeParse(text);
    if (!result.success) complain(field, `${quoted(text)} ${result.error.issues[0]?.message}`);
    return text;
  };

  for (const [field, text] of values) {
    if (text.length > 255)
      complain(field, `${quoted(text)} has ${text.length} characters: write at most 255`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    else if (/[\u0000-\u001f\u007f\u2028\u2029]/.test(text)) {
      complain(field, `${quoted(text)} has a line break or control character: take it out`);
    } else if (text.includes('\uFFFD')) {
      complain(field, `${quoted(text)} has letters that were lost: save the file as "CSV UTF-8"`);
    }
  }
  for (const field of ['name', 'environment', 'zone'] as const) {
    if (value(field) === '') complain(field, `is empty: every server needs ${needed[field]}`);
  }
  const environment = environmentName(value('environment'));
  check('environment', environment, shape.environment);
  const reading = value('zone') === '' ? undefined : questions.zoneOf(value('zone'));
  if (reading && 'problem' in reading) complain('zone', reading.problem);
  const zone = reading && 'zone' in reading ? reading.zone : undefined;
  const instanceId = check('instanceId', value('instanceId').toLowerCase(), serverIdSchema);
  const region = check('region', value('region').toLowerCase(), placeSchema.shape.region);
  const account = value('account');
  if (account !== '' && !placeSchema.shape.account.safeParse(account).success) {
    complain(
      'account',
      `${quoted(account)} is not an account id of twelve digits: format the column as text, as spreadsheets drop leading zeros`,
    );
  }
  const isActive = active.get(value('active').toLowerCase());
  if (isActive === undefined)
    complain('active', `${quoted(value('active'))} is unknown: write active or inactive`);

  const metal = yesOrNo(value('metal'));
  if (value('metal') !== '' && metal === undefined)
    complain('metal', `${quoted(value('metal'))} is unknown: write yes or no`);

  const cronProblem = value('cron') === '' ? undefined : whyNoCron(value('cron'));
  if (cronProblem !== undefined) complain('cron', cronProblem);
  const dates = readDates(value, complain);
  const extra = columns.unknown.flatMap(({ header, at }): [string, string][] => {
    const text = cellText(cells[at] ?? '');
    return text === '' ? [] : [[header, text]];
  });
  for (const [at, cell] of cells.entries()) {
    if (cell.trim() !== '' && (columns.written[at] ?? '') === '') {
      const message = `${quoted(cell.trim())} has no header above it: a comma too many, or a cell that needs quotes?`;
      problems.push({ column: `column ${at + 1}`, message });
    }
  }
  if (problems.length > 0 || zone === undefined || isActive === undefined) return { problems };

  const optional = <K extends Field>(field: K) => (value(field) === '' ? {} : { [field]: value(field) });
  const dependsOn = value('dependsOn')
    .split(/[;,]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    problems,
    server: {
      row,
      name: value('name'),
      environment,
      zone,
      active: isActive,
      ...splitPast(dates, zone, questions.pastQuarterOf),
      owners: {
        ...(value('primaryOwner') !== '' && { primary: value('primaryOwner') }),
        ...(value('secondaryOwner') !== '' && { secondary: value('secondaryOwner') }),
      },
      ...optional('hostGroup'),
      ...optional('operatingSystem'),
      ...optional('location'),
      ...(instanceId !== undefined && { instanceId }),
      ...optional('account'),
      ...(region !== undefined && { region }),
      ...optional('currentQuarterStatus'),
      ...optional('haGroup'),
      ...optional('cron'),
      ...(metal !== undefined && { metal: metal === 'yes' }),
      ...(dependsOn.length > 0 && { dependsOn }),
      extra: Object.fromEntries(extra),
    },
  };
}

const needed = {
  name: 'a name',
  environment: 'an environment',
  zone: 'a time zone, like Europe/Berlin',
} as const;

function whyNoCron(text: string): string | undefined {
  try {
    parseCron(text);
    return undefined;
  } catch (error) {
    if (error instanceof CronError) return error.message;
    throw error;
  }
}

type Dates = Partial<Record<QuarterColumn, ExplicitDate>>;

function readDates(
  value: (field: Field) => string,
  complain: (field: Field, message: string) => void,
): Dates {
  const dates: Dates = {};
  for (const quarter of quarterColumns) {
    const [day, clock, approval] = [
      value(`${quarter} date`),
      value(`${quarter} time`),
      value(`${quarter} approval`),
    ];
    if (day === '' && clock === '' && approval === '') continue;
    const date: PatchDate | { problem: string } | undefined = day === '' ? undefined : readDate(day);
    const time = clock === '' ? undefined : readTime(clock);
    if (date && 'problem' in date) complain(`${quarter} date`, date.problem);
    if (time && 'problem' in time) complain(`${quarter} time`, time.problem);
    if ((date && 'problem' in date) || (time && 'problem' in time)) continue;
    if (date?.time !== undefined && time && date.time !== time.time) {
      complain(
        `${quarter} time`,
        `${time.time} is not the ${date.time} of ${headers[`${quarter} date`]}: write one of them`,
      );
    }
    const setTime = time?.time ?? date?.time;
    dates[quarter] = {
      ...(date && { date: date.date }),
      ...(setTime !== undefined && { time: setTime }),
      ...(approval !== '' && { approval }),
    };
  }
  return dates;
}
