import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvTextError, csvTextOf } from '../../../core/inventory/csv-text.ts';
import type { InventoryServer } from '../../../core/inventory/inventory-server.ts';
import { type InventoryOptions, readInventory } from '../../../core/inventory/read-inventory.ts';
import { inventoryCsv } from '../../../core/inventory/write-inventory.ts';
import type { QuarterCalendar } from '../../../core/quarter.ts';

const now = '2027-02-15T12:00:00.000Z';
const read = (text: string, options: Partial<InventoryOptions> = {}) =>
  readInventory(text, { now, ...options });
/** A list with the columns that every list needs, and those of the test. */
const list = (columns: string, ...rows: string[]) =>
  [`Server Name,Environment,Server Timezone${columns}`, ...rows].join('\n');
const only = (text: string, options: Partial<InventoryOptions> = {}): InventoryServer => {
  const { servers, errors } = read(text, options);
  expect(errors).toEqual([]);
  expect(servers).toHaveLength(1);
  return servers[0] as InventoryServer;
};
const problems = (text: string) => read(text).errors.map(({ row, column }) => `${row} ${column}`);

describe('reading a server list', () => {
  test('every column of the existing tools is read', () => {
    const text = `Server Name,Host Group,Operating System,Environment,Server Timezone,Location,Primary Owner,Secondary Owner,Q1 Patch Date,Q1 Patch Time,Q1 Approval Status,Q2 Patch Date,Q2 Patch Time,Q2 Approval Status,Q3 Patch Date,Q3 Patch Time,Q3 Approval Status,Q4 Patch Date,Q4 Patch Time,Q4 Approval Status,Current Quarter Patching Status,Active Status,Instance Id,Account,Region,HA Group,Cron Schedule,Depends On,Metal
web-01,shop,Debian 12,Production,America/New York,"Newark, NJ",ana@example.com,bo@example.com,2027-01-09,02:00,Approved,2027-02-20,2:30 AM,Pending,,,,46300,,Approved,Scheduled,Active,i-0123456789abcdef0,012345678901,us-east-1,shop-web,0 2 * * sat,db-01; db-02,Yes`;
    expect(only(text)).toEqual({
      row: 2,
      name: 'web-01',
      hostGroup: 'shop',
      operatingSystem: 'Debian 12',
      environment: 'production',
      zone: 'America/New_York',
      location: 'Newark, NJ',
      owners: { primary: 'ana@example.com', secondary: 'bo@example.com' },
      explicit: { Q2: { date: '2027-02-20', time: '02:30', approval: 'Pending' } },
      history: [
        { column: 'Q1', quarter: '2027-Q1', date: '2027-01-09', time: '02:00', approval: 'Approved' },
        { column: 'Q4', quarter: '2026-Q4', date: '2026-10-05', approval: 'Approved' },
      ],
      currentQuarterStatus: 'Scheduled',
      active: true,
      instanceId: 'i-0123456789abcdef0',
      account: '012345678901',
      region: 'us-east-1',
      haGroup: 'shop-web',
      cron: '0 2 * * sat',
      dependsOn: ['db-01', 'db-02'],
      metal: true,
      extra: {},
    });
  });

  test.each([
    ['upper case', 'SERVER NAME,ENVIRONMENT,SERVER TIMEZONE\nweb,dev,UTC'],
    ['underscores', 'server_name,environment,server_timezone\nweb,dev,UTC'],
    ['spaces round them', ' Server  Name , Environment,Server Time Zone\n web , dev , UTC '],
    ['a mark of byte order', '\uFEFFServer Name,Environment,Server Timezone\nweb,dev,UTC'],
    ['a mark of byte order before a quote', '\uFEFF"Server Name",Environment,Server Timezone\nweb,dev,UTC'],
    ['CRLF', 'Server Name,Environment,Server Timezone\r\nweb,dev,UTC\r\n'],
    ['CR alone', 'Server Name,Environment,Server Timezone\rweb,dev,UTC\r'],
    ['both ends of line', '"Server Name",Environment,"Server Timezone"\r\nweb,dev,"UTC"\n'],
    ['quotes', '"Server Name","Environment","Server Timezone"\n"web","dev","UTC"'],
    ['semicolons', 'Server Name;Environment;Server Timezone\nweb;dev;UTC'],
    ['tabs', 'Server Name\tEnvironment\tServer Timezone\nweb\tdev\tUTC'],
    ['columns in another order', 'Server Timezone,Server Name,Environment\nUTC,web,dev'],
    ['empty cells and columns', 'Server Name,,Environment,Server Timezone,Location,\nweb,,dev,UTC,,'],
    ['blank rows', 'Server Name,Environment,Server Timezone\nweb,dev,UTC\n,,\n\n'],
    ['cells left out at the end', 'Server Name,Environment,Server Timezone,Location\nweb,dev,UTC'],
  ])('%s make no difference', (_, text) => {
    expect(only(text)).toMatchObject({ row: 2, name: 'web', environment: 'dev', zone: 'UTC', active: true });
  });

  test('the line by which Excel is told the delimiter is no row', () => {
    const rows = 'Server Name;Environment;Server Timezone\r\nweb;dev;UTC\r\nbad;dev;Nowhere';
    expect(problems(`sep=;\r\n${rows}`)).toEqual(['3 Server Timezone']);
    expect(problems(`"sep=;"\n${rows}`)).toEqual(['3 Server Timezone']);
  });

  test('quoted cells keep commas and quotes', () => {
    const server = only(list(',Location,Notes', 'web,dev,UTC,"Ulm, ""old"" hall","two\r\nlines"'));
    expect(server).toMatchObject({ location: 'Ulm, "old" hall', extra: { Notes: 'two\nlines' } });
  });

  test('unknown columns are kept and reported, with the one that was perhaps meant', () => {
    const { servers, unknownColumns } = read(list(',Rack,Host Gruop', 'web,dev,UTC,r7,shop'));
    expect(servers[0]?.extra).toEqual({ Rack: 'r7', 'Host Gruop': 'shop' });
    expect(unknownColumns).toEqual([{ header: 'Rack' }, { header: 'Host Gruop', near: 'Host Group' }]);
  });

  test('a column may have any name without harm', () => {
    const server = only(list(',__proto__,constructor', 'web,dev,UTC,a,b'));
    expect(Object.entries(server.extra)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(read(inventoryCsv([server])).servers).toEqual([server]);
  });

  test.each([
    ['', 'server name'],
    ['Server Name,Environment\nweb,dev', 'Server Timezone'],
    [list(',Region,REGION', 'web,dev,UTC,,'), 'are both "Region"'],
  ])('headers that do not do are refused', (text, word) => {
    const { errors, servers } = read(text, { skipBadRows: true });
    expect(servers).toEqual([]);
    expect(errors[0]).toMatchObject({ row: 1 });
    expect(
      errors
        .map(({ message }) => message)
        .join()
        .toLowerCase(),
    ).toContain(word.toLowerCase());
  });
});

describe('what is wrong with a server list', () => {
  test('is said all at once, by row and column, and nothing is taken', () => {
    const text = list(
      ',Q1 Patch Date,Q1_Patch_Time,Active Status,Instance Id,Account,Region',
      'web-1,Production,Europe/Brelin,03/07/2027,25:00,maybe,i-1,1234,mars',
      'web-2,uat,UTC,,,,,,',
      ',,,,,,,,x',
    );
    expect(problems(text)).toEqual([
      '2 Server Timezone',
      '2 Instance Id',
      '2 Region',
      '2 Account',
      '2 Active Status',
      '2 Q1 Patch Date',
      '2 Q1_Patch_Time',
      '4 Server Name',
      '4 Environment',
      '4 Server Timezone',
      '4 Region',
    ]);
    expect(read(text).servers).toEqual([]);
    expect(read(text).errors[0]?.message).toBe(
      '"Europe/Brelin" is not a time zone: did you mean Europe/Berlin or Europe/Dublin?',
    );
  });

  test('is skipped when asked for, and listed', () => {
    const { servers, errors, skipped } = read(
      list('', 'web-1,dev,UTC', 'web-2,dev,Nowhere/At_all', 'web-3,dev,UTC'),
      { skipBadRows: true },
    );
    expect(servers.map(({ name, row }) => [name, row])).toEqual([
      ['web-1', 2],
      ['web-3', 4],
    ]);
    expect(errors).toEqual([]);
    expect(skipped).toMatchObject([
      { row: 3, name: 'web-2', errors: [{ row: 3, column: 'Server Timezone' }] },
    ]);
  });

  test('the same server twice names the first row', () => {
    const text = list(
      ',Instance Id',
      'web-1,dev,UTC,i-0123456789abcdef0',
      'WEB-1,dev,UTC,',
      'web-2,dev,UTC,I-0123456789ABCDEF0',
    );
    expect(read(text).errors).toMatchObject([
      { row: 3, column: 'Server Name', message: expect.stringContaining('is in row 2 already') },
      { row: 4, column: 'Instance Id', message: expect.stringContaining('is in row 2 already') },
    ]);
  });

  test('an account that a spreadsheet took for a number is told how to keep its zeros', () => {
    for (const account of ['12345678901', '1.23457E+11', '123456789012.0']) {
      expect(read(list(',Account', `web,dev,UTC,${account}`)).errors).toMatchObject([
        { row: 2, column: 'Account', message: expect.stringContaining('leading zeros') },
      ]);
    }
    expect(only(list(',Account', 'web,dev,UTC,"=""012345678901"""')).account).toBe('012345678901');
  });

  test('a cell that is beyond the headers shows a comma too many', () => {
    expect(problems(list('', 'web,dev,UTC,Ulm'))).toEqual(['2 column 4']);
  });

  test('a quote without an end is found, and does not hide rows silently', () => {
    const { errors } = read(list(',Location', 'web-1,dev,UTC,"Ulm', 'web-2,dev,UTC,Bonn'));
    expect(errors).toEqual([
      {
        row: 2,
        column: '',
        message: expect.stringContaining('a quoted cell has no end: close the quote, since'),
      },
    ]);
  });

  test('rows that a quote has swallowed can not be listed, so they are not skipped either', () => {
    const rows = list(',Location', 'a,dev,UTC,', 'b,dev,,', 'c,dev,UTC,"x" y', 'd,dev,UTC,', 'e,dev,UTC,"z"');
    const skipping = read(rows, { skipBadRows: true });
    expect(skipping.servers).toEqual([]);
    expect(skipping.errors).toMatchObject([{ row: 4, message: expect.stringContaining('write a quote') }]);
    expect(skipping.skipped).toMatchObject([{ row: 3, name: 'b' }]);
    expect(read(rows).errors.map(({ row }) => row)).toEqual([3, 4]);
    const one = read(list(',Location', 'a,dev,UTC,"x" y'), { skipBadRows: true });
    expect([one.errors, one.skipped.map(({ row }) => row)]).toEqual([[], [2]]);
  });

  test('a quoted cell that goes on after its end is found in its row', () => {
    const { errors } = read(list(',Location', 'web-1,dev,UTC,Ulm', 'web-2,dev,UTC,"Bonn" am Rhein'));
    expect(errors).toMatchObject([{ row: 3, message: expect.stringContaining('write a quote') }]);
  });

  test('a cron expression that can not be read is found in its cell', () => {
    const rows = list(',cron', 'a,dev,UTC,0 2 * *', 'b,dev,UTC,0 2 * * sat', 'c,dev,UTC,0 2 30 feb *');
    expect(problems(rows)).toEqual(['2 cron', '4 cron']);
    expect(read(rows).errors[0]?.message).toContain('has 4 fields: write five');
  });

  test('two times for one date are told apart', () => {
    expect(problems(list(',Q3 Patch Date,Q3 Patch Time', 'web,dev,UTC,2027-05-08 03:00,02:00'))).toEqual([
      '2 Q3 Patch Time',
    ]);
    expect(only(list(',Q3 Patch Date,Q3 Patch Time', 'web,dev,UTC,2027-05-08 03:00,')).explicit).toEqual({
      Q3: { date: '2027-05-08', time: '03:00' },
    });
  });

  test('names with control characters are refused', () => {
    expect(problems(list('', '"we\nb",dev,UTC', 'w\u0000eb,dev,UTC'))).toEqual([
      '2 Server Name',
      '3 Server Name',
    ]);
  });
});

describe('dates of past quarters', () => {
  test('become history by the day where the server is', () => {
    // 1 May is a new quarter; at 11:00 UTC on 30 April it has begun in Kiritimati (UTC+14) and not in Honolulu.
    const lines = list(
      ',Q2 Patch Date',
      'east,dev,Pacific/Kiritimati,2027-04-10',
      'west,dev,Pacific/Honolulu,2027-04-10',
    );
    const { servers } = read(lines, { now: '2027-04-30T11:00:00.000Z' });
    expect(servers.map(({ explicit, history }) => [Object.keys(explicit), history.length])).toEqual([
      [[], 1],
      [['Q2'], 0],
    ]);
  });

  test('are named by their own quarter and not by their column', () => {
    expect(only(list(',Q3 Patch Date', 'web,dev,UTC,2026-11-07')).history).toEqual([
      { column: 'Q3', quarter: '2027-Q1', date: '2026-11-07' },
    ]);
  });

  test('follow the calendar of the team', () => {
    const quarters: QuarterCalendar = {
      year: 'cycle-end',
      quarters: [
        { name: 'A', months: [1, 2, 3] },
        { name: 'B', months: [4, 5, 6] },
        { name: 'C', months: [7, 8, 9] },
        { name: 'D', months: [10, 11, 12] },
      ],
    };
    const text = list(',Q1 Patch Date', 'web,dev,UTC,2027-01-09');
    expect(only(text).history).toHaveLength(1);
    expect(only(text, { quarters }).explicit).toEqual({ Q1: { date: '2027-01-09' } });
  });

  test('of this quarter are left to the planner, past or not', () => {
    expect(only(list(',Q2 Patch Date', 'web,dev,UTC,2027-02-01')).explicit).toEqual({
      Q2: { date: '2027-02-01' },
    });
  });
});

describe('the export of a server list', () => {
  const server = (over: Partial<InventoryServer>): InventoryServer => ({
    ...only(list('', 'web,dev,UTC')),
    ...over,
  });

  test.each(['=1+1', '+49 731', '-2', '@SUM(A1)', "'=1", "''@x", '＝1+1', '="007"', '=cmd|"/C calc"!A0'])(
    'makes text of the formula %j, and reads it again',
    (location) => {
      const text = inventoryCsv([server({ location })]);
      expect(text).not.toMatch(/(^|[,"])[=+\-@＝]/m);
      expect(only(text).location).toBe(location);
    },
  );

  test('guards headers as well', () => {
    const text = inventoryCsv([server({ extra: { '=HYPERLINK("x")': '-1' } })]);
    expect(text).not.toMatch(/(^|[,"])[=+\-@]/m);
    expect(only(text).extra).toEqual({ '=HYPERLINK("x")': '-1' });
  });

  test('is read as the same servers', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      // Control characters and what trims to nothing never come out of an import.
      .map((text) => text.replaceAll(/[\p{Cc}\u2028\u2029\uFFFD]/gu, '').trim())
      .filter((text) => text !== '' && !/^="[^"]*"$/.test(text));
    const maybe = fc.option(word, { nil: undefined });
    const date = fc.record(
      {
        date: fc.constantFrom('2027-02-16', '2027-05-08', '2026-09-05', '2024-02-29', '2030-12-31'),
        time: fc.constantFrom('00:00', '02:30', '23:59'),
        approval: word,
      },
      { requiredKeys: [] },
    );
    const row = fc.record({
      environment: fc.constantFrom('production', 'uat', 'dev-2'),
      zone: fc.constantFrom('Europe/Berlin', 'UTC', 'Asia/Kolkata'),
      fields: fc.array(maybe, { minLength: 8, maxLength: 8 }),
      cron: fc.constantFrom(undefined, '0 2 * * sat', '*/30 0-3 1,15 JAN *'),
      dates: fc.array(date, { minLength: 4, maxLength: 4 }),
      active: fc.boolean(),
      extra: fc.dictionary(
        word.map((name) => `x ${name}`),
        word,
        { maxKeys: 3 },
      ),
      dependsOn: fc.array(fc.constantFrom('db-1', 'db 2', '=db'), { maxLength: 3 }),
      metal: fc.constantFrom('', 'yes', 'no'),
    });
    const quote = (cell: string | undefined) => `"${(cell ?? '').replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
        const extras = [...new Set(rows.flatMap(({ extra }) => Object.keys(extra)))];
        const header = `Server Name,Environment,Server Timezone,Active Status,Host Group,Operating System,Location,Primary Owner,Secondary Owner,Current Quarter Patching Status,HA Group,Cron Schedule,Depends On,Metal,${[1, 2, 3, 4].map((n) => `Q${n} Patch Date,Q${n} Patch Time,Q${n} Approval Status`).join()}`;
        const text = [
          [header, ...extras.map((name) => quote(name))].join(),
          ...rows.map(({ environment, zone, fields, cron, dates, active, extra, dependsOn, metal }, index) =>
            [
              `s${index} ${fields[0] ?? ''}`,
              environment,
              zone,
              active ? 'yes' : 'no',
              ...fields.slice(1),
              cron,
              dependsOn.join(';'),
              metal,
              ...dates.flatMap(({ date, time, approval }) => [date, time, approval]),
              ...extras.map((name) => extra[name]),
            ]
              .map(quote)
              .join(),
          ),
        ].join('\r\n');
        const first = read(text);
        expect(first.errors).toEqual([]);
        expect(first.servers).toHaveLength(rows.length);
        const again = read(inventoryCsv(first.servers));
        expect(again.errors).toEqual([]);
        expect(again.servers).toEqual(first.servers);
      }),
    );
  });
});

describe('hostile input', () => {
  test('no text makes the import throw, and every error has its mend', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('"', '""', '\r', '\n', ',', '\u0000', '9'.repeat(400), '=1', 'Server Name', '\uFEFF'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { maxLength: 8 }), { maxLength: 6 }),
        fc.boolean(),
        (rows, skipBadRows) => {
          const text = `Server Name,Environment,Server Timezone,Q1 Patch Date,Q1 Patch Time,Account\n${rows.map((row) => row.join()).join('\n')}`;
          const { errors, skipped } = read(text, { skipBadRows });
          for (const { row, message } of [...errors, ...skipped.flatMap((bad) => bad.errors)]) {
            expect(row).toBeGreaterThan(0);
            expect(message.length).toBeGreaterThan(10);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('letters that were lost on the way are found', () => {
    const text = new TextDecoder().decode(Buffer.from(list(',Location', 'web,dev,UTC,Köln'), 'latin1'));
    expect(read(text).errors).toMatchObject([
      { row: 2, column: 'Location', message: expect.stringContaining('UTF-8') },
    ]);
  });

  test('bytes that are no text are told from text', () => {
    const text = 'Server Name,Ort\nweb,Köln';
    expect(csvTextOf(new TextEncoder().encode(`\uFEFF${text}`))).toBe(text);
    expect(csvTextOf(Buffer.from(`\uFEFF${text}`, 'utf16le'))).toBe(text);
    expect(() => csvTextOf(Buffer.from(text, 'latin1'))).toThrow(CsvTextError);
  });
});
