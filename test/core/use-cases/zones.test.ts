import { beforeEach, describe, expect, test } from 'vitest';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { type CommandRequest, type Invocation, PortError, type Presence } from '../../../core/ports.ts';
import type { Place } from '../../../core/server.ts';
import { askZones } from '../../../core/use-cases/ask-zones.ts';
import { pauseAll } from '../../../core/use-cases/pause-all.ts';
import { showZones } from '../../../core/use-cases/show-zones.ts';
import { loadInventory, saveInventory } from '../../../core/use-cases/stored-inventory.ts';
import { storedServer } from '../../support/planned-fleet.ts';
import { serverId } from '../../support/samples.ts';

const now = '2027-01-10T00:00:00.000Z';
const later = plusSeconds(now, 60);
const tooLate = plusSeconds(now, 3600);

interface Sent {
  readonly place: Place;
  readonly request: CommandRequest;
  readonly commandId: string;
}

let records: ReturnType<typeof createMemoryRecords>;
let objects: ReturnType<typeof createMemoryObjects>;
let sent: Sent[];
let presence: Map<string, Presence>;
/** By server id; one that is not in it has not answered. */
let said: Map<string, Partial<Invocation>>;
let refuse: (request: CommandRequest, place: Place) => PortError | undefined;
let unreadable: string | undefined;

beforeEach(() => {
  records = createMemoryRecords();
  objects = createMemoryObjects('campaigns', 'eu-central-1');
  sent = [];
  presence = new Map();
  said = new Map();
  refuse = () => undefined;
  unreadable = undefined;
});

const ports = () => ({
  records,
  objects,
  fleet: {
    presence: async (_place: Place, ids: readonly string[]) =>
      new Map(ids.map((id) => [id, presence.get(id) ?? ('online' as const)])),
  },
  commands: {
    pin: async (_place: Place, name: string) => ({ name, version: '3', hash: 'h' }),
    async send(place: Place, request: CommandRequest) {
      const refused = refuse(request, place);
      if (refused && refused.code !== 'ambiguous') throw refused;
      const commandId = `command-${sent.length + 1}`;
      sent.push({ place, request, commandId });
      if (refused) throw refused;
      return commandId;
    },
    find: async (_place: Place, comment: string) =>
      sent
        .filter(({ request }) => request.comment === comment)
        .map(({ commandId }) => ({ commandId, comment, requestedAt: now })),
    async invocations(place: Place, commandId: string): Promise<Invocation[]> {
      if (place.region === unreadable) throw new Error('access denied');
      const ids = sent.find((one) => one.commandId === commandId)?.request.serverIds ?? [];
      return ids.map((id) => ({
        serverId: id,
        status: 'in-progress',
        terminal: false,
        statusDetails: 'inprogress',
        summary: '',
        ...said.get(id),
      }));
    },
  },
});

async function inventory(servers: Parameters<typeof saveInventory>[1]): Promise<void> {
  const { revision } = await loadInventory({ records, objects });
  await saveInventory({ records, objects }, servers, { by: 'ann', now, expected: revision });
}

const ask = (servers?: readonly string[], at = now) =>
  askZones(ports(), { by: 'ann', ...(servers && { servers: [...servers] }) }, at);
const show = (at = later) => showZones(ports(), at);
const rowOf = async (name: string, at = later) => (await show(at)).rows.find(({ server }) => server === name);

/** As the document prints it, with a word on stderr behind it. */
function says(number: number, readings: Record<string, string>): void {
  const report = {
    schema: 1,
    readings: Object.entries(readings).map(([method, value]) => ({ method, value })),
  };
  said.set(serverId(number), {
    status: 'succeeded',
    terminal: true,
    statusDetails: 'success',
    summary: `${JSON.stringify(report)}\n\n----------ERROR-------\nquarterdeck: timedatectl does not answer\n`,
  });
}

describe('asking servers for their time zones', () => {
  test('goes to all active servers of the inventory, in batches of 50 of one place', async () => {
    const here = Array.from({ length: 101 }, (_, index) => storedServer(index + 1));
    const there = storedServer(200, { account: '222222222222', region: 'eu-west-1' });
    await inventory([...here, there, storedServer(300, { active: false })]);
    expect(await ask()).toMatchObject({ servers: 102, left: { count: 0 }, state: 'sent', by: 'ann' });
    expect(
      sent
        .map(({ place, request }) => [place.region, request.serverIds.length])
        .toSorted((a, b) => Number(b[1]) - Number(a[1])),
    ).toEqual([
      ['eu-central-1', 50],
      ['eu-central-1', 50],
      ['eu-central-1', 1],
      ['eu-west-1', 1],
    ]);
    for (const { request } of sent)
      expect(request).toMatchObject({
        document: { name: 'Quarterdeck-TimeZone', version: '3' },
        parameters: {},
      });
    expect(new Set(sent.map(({ request }) => request.comment)).size).toBe(4);
  });

  test('goes to those that are named, by name or id, whether active or not, each once', async () => {
    await inventory([storedServer(1), storedServer(2, { active: false }), storedServer(3)]);
    await ask(['WEB-2', serverId(2), serverId(3)]);
    expect(sent.flatMap(({ request }) => request.serverIds)).toEqual([serverId(2), serverId(3)]);
    await expect(ask(['web-9'], later)).rejects.toMatchObject({
      code: 'unknown-server',
      message: expect.stringContaining('did you mean'),
    });
  });

  test('leaves out, and names, those without an instance', async () => {
    const { instanceId: _, ...unknown } = storedServer(2);
    await inventory([storedServer(1), unknown]);
    expect(await ask()).toMatchObject({
      servers: 1,
      left: { count: 1, first: [{ server: 'web-2', why: expect.stringContaining('no instance id') }] },
    });
    await expect(ask(['web-2'], later)).rejects.toMatchObject({ code: 'no-servers' });
  });

  test('does not go to servers whose agent does not answer, nor to those that are none of ours', async () => {
    await inventory([storedServer(1), storedServer(2), storedServer(3)]);
    presence = new Map([
      [serverId(1), 'offline'],
      [serverId(2), 'gone'],
    ]);
    await ask();
    expect(sent.map(({ request }) => request.serverIds)).toEqual([[serverId(3)]]);
    expect(await rowOf('web-1')).toMatchObject({ verdict: 'unknown', words: 'its agent does not answer' });
    expect(await rowOf('web-2')).toMatchObject({
      verdict: 'unknown',
      words: expect.stringContaining('gone'),
    });
    expect(await rowOf('web-3')).toMatchObject({ verdict: 'waiting' });
  });

  test('reaches the others where Run Command does not know one', async () => {
    await inventory([1, 2, 3, 4, 5].map((number) => storedServer(number)));
    refuse = ({ serverIds }) =>
      serverIds.includes(serverId(4)) ? new PortError('invalid-servers', 'not known') : undefined;
    await ask();
    expect(sent.flatMap(({ request }) => request.serverIds).toSorted()).toEqual(
      [1, 2, 3, 5].map(serverId).toSorted(),
    );
    expect(await rowOf('web-4')).toMatchObject({ verdict: 'unknown', words: 'it was not asked: not known' });
  });

  test('goes on in other places where one refuses', async () => {
    await inventory([storedServer(1), storedServer(2, { region: 'eu-west-1' })]);
    refuse = (_, { region }) => (region === 'eu-west-1' ? new PortError('refused', 'no right') : undefined);
    expect(await ask()).toMatchObject({ state: 'sent' });
    expect(await rowOf('web-2')).toMatchObject({ words: 'it was not asked: no right' });
    expect(await rowOf('web-1')).toMatchObject({ verdict: 'waiting' });
  });

  test('is tried again where Run Command is busy, and not for ever', async () => {
    await inventory([storedServer(1)]);
    let busy = 3;
    refuse = () => (busy-- > 0 ? new PortError('throttled', 'slow down') : undefined);
    await ask();
    expect(sent).toHaveLength(1);
    refuse = () => new PortError('throttled', 'slow down');
    await ask(undefined, later);
    expect(await rowOf('web-1', later)).toMatchObject({ words: 'it was not asked: slow down' });
  });

  test('finds the command of a call whose end nobody knows', async () => {
    await inventory([storedServer(1)]);
    refuse = () => new PortError('ambiguous', 'cut off');
    await ask();
    says(1, { timedatectl: 'Europe/Berlin' });
    expect(sent).toHaveLength(1);
    expect(await rowOf('web-1')).toMatchObject({ verdict: 'same' });
  });

  test('is done by one at a time, until that one has ended or can not be at it any more', async () => {
    await inventory([storedServer(1)]);
    let second: Promise<unknown> = Promise.resolve();
    refuse = () => {
      second = expect(ask(undefined, later)).rejects.toMatchObject({
        code: 'zones-being-asked',
        message: expect.stringContaining('by ann'),
      });
      return undefined;
    };
    await ask();
    await second;
    refuse = () => undefined;
    expect((await ask(undefined, later)).at).toBe(later);
    // The same second names the same asking.
    await expect(ask(undefined, later)).rejects.toMatchObject({ code: 'zones-being-asked' });
  });

  test('is not done while everything is paused', async () => {
    await inventory([storedServer(1)]);
    await pauseAll({ records }, { by: 'ann', reason: 'an incident' }, now);
    await expect(ask()).rejects.toMatchObject({ code: 'paused' });
    expect(sent).toEqual([]);
  });

  test('says what to do where nobody is to be asked, and where nobody has asked', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'no-servers' });
    await expect(show()).rejects.toMatchObject({ code: 'no-zones' });
  });
});

describe('what servers say of their time zones', () => {
  beforeEach(async () => {
    await inventory([1, 2, 3, 4, 5, 6].map((number) => storedServer(number)));
    await ask();
  });

  test('stands beside what is recorded, what differs first, and changes nothing there', async () => {
    const before = await loadInventory({ records, objects });
    says(1, { timedatectl: 'Europe/Berlin', date: 'CET+0100' });
    says(2, { 'etc-timezone': 'America/New_York', date: 'EST-0500' });
    says(3, { date: 'CET+0100' });
    says(4, { timedatectl: 'Europe/Berlin', date: 'UTC+0000' });
    says(5, { 'etc-timezone': 'Mars/Olympus' });
    const { rows, counts, complete } = await show();
    expect(rows.map(({ server, verdict, says: zone, method }) => [server, verdict, zone, method])).toEqual([
      ['web-2', 'differs', 'America/New_York', 'etc-timezone'],
      ['web-4', 'contradictory', 'Europe/Berlin', 'timedatectl'],
      // An offset stays one.
      ['web-3', 'possible', '+01:00', 'date'],
      ['web-5', 'unknown', null, null],
      ['web-6', 'waiting', null, null],
      ['web-1', 'same', 'Europe/Berlin', 'timedatectl'],
    ]);
    expect(rows[1]?.disagreements).toEqual(['timedatectl says Europe/Berlin, date says +00:00']);
    expect(rows[0]?.words).toContain('recorded is Europe/Berlin');
    expect(counts).toEqual({ differs: 1, contradictory: 1, possible: 1, unknown: 1, waiting: 1, same: 1 });
    expect(complete).toBe(false);
    expect(await loadInventory({ records, objects })).toEqual(before);
  });

  test('stays as it was heard first, also when Run Command forgets it', async () => {
    says(1, { timedatectl: 'Europe/Berlin' });
    await show();
    says(1, { timedatectl: 'America/New_York' });
    expect(await rowOf('web-1', plusSeconds(later, 60))).toMatchObject({ verdict: 'same', at: later });
    said = new Map();
    expect(await rowOf('web-1', tooLate)).toMatchObject({ verdict: 'same', at: later });
  });

  test('stays as it was heard first, also where two hear it at once', async () => {
    says(1, { timedatectl: 'Europe/Berlin' });
    const slow = ports();
    const { replace } = records;
    let first: Promise<unknown> | undefined;
    // Another one looks, and hears otherwise, between the reading and the writing of this one.
    slow.records = {
      ...records,
      async replace(record, expected) {
        says(1, { timedatectl: 'America/New_York' });
        first ??= show();
        await first;
        return replace(record, expected);
      },
    };
    const { rows } = await showZones(slow, plusSeconds(later, 5));
    const heard = { verdict: 'differs', says: 'America/New_York', at: later };
    expect(rows.find(({ server }) => server === 'web-1')).toMatchObject(heard);
    expect(await rowOf('web-1')).toMatchObject(heard);
  });

  test('is compared with what a person has mended since', async () => {
    says(1, { timedatectl: 'Europe/Lisbon' });
    expect(await rowOf('web-1')).toMatchObject({ verdict: 'differs' });
    await inventory([storedServer(1, { zone: 'Europe/Lisbon' })]);
    expect(await rowOf('web-1')).toMatchObject({ verdict: 'same', recorded: 'Europe/Lisbon' });
    expect(await rowOf('web-2')).toMatchObject({ recorded: null });
  });

  test.each<[string, Partial<Invocation>, string]>([
    [
      'comes with a failure',
      {
        status: 'failed',
        terminal: true,
        statusDetails: 'failed',
        summary: '{"schema":1,"readings":[{"method":"date","value":"CET+0100"}]}\n',
      },
      'Run Command says failed',
    ],
    [
      'was cut off',
      { status: 'succeeded', terminal: true, statusDetails: 'success', summary: '{"schema":1,"rea' },
      'can not be read',
    ],
    [
      'names a method that is none',
      {
        status: 'succeeded',
        terminal: true,
        statusDetails: 'success',
        summary: '{"schema":1,"readings":[{"method":"guess","value":"UTC"}]}\n',
      },
      'can not be read',
    ],
    [
      'is no object',
      { status: 'succeeded', terminal: true, statusDetails: 'success', summary: '[]' },
      'can not be read',
    ],
  ])('is unknown where the answer %s', async (_, invocation, words) => {
    said.set(serverId(1), invocation);
    expect(await rowOf('web-1')).toMatchObject({
      verdict: 'unknown',
      words: expect.stringContaining(words),
    });
  });

  test('is unknown once nothing can be heard any more, and not before', async () => {
    const { answersBy } = await show();
    expect(await rowOf('web-1', plusSeconds(answersBy, -1))).toMatchObject({ verdict: 'waiting' });
    const { complete, rows } = await show(answersBy);
    expect(complete).toBe(true);
    expect(rows[0]).toMatchObject({ verdict: 'unknown', words: `nothing was heard of it by ${answersBy}` });
  });

  test('is told of the other places where one can not be read', async () => {
    await inventory([storedServer(1), storedServer(7, { region: 'eu-west-1' })]);
    await ask(undefined, later);
    says(1, { timedatectl: 'Europe/Berlin' });
    unreadable = 'eu-west-1';
    const { unread, rows } = await show(plusSeconds(later, 60));
    expect(unread).toEqual(['111111111111/eu-west-1: access denied']);
    expect(rows.map(({ verdict }) => verdict)).toEqual(['waiting', 'same']);
  });
});
