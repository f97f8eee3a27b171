import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../apps/cli/arguments.ts';
import { helpText } from '../../../apps/cli/help.ts';
import { callNames } from '../../../core/calls.ts';
import { askZonesInput } from '../../../core/use-cases/ask-zones.ts';
import {
  type ShownZone,
  type ShowZonesOutput,
  shownVerdicts,
  showZonesInput,
} from '../../../core/use-cases/show-zones.ts';
import { runAnswered } from '../../support/cli-answers.ts';
import { createCliWorld } from '../../support/cli-world.ts';
import { serverId } from '../../support/samples.ts';

async function run(answer: unknown, argv: readonly string[], columns = 100) {
  const { code, out, calls } = await runAnswered(answer, argv, columns);
  const [name, input] = calls.at(-1) ?? [];
  expect(callNames).toContain(name);
  return { code, out, name, input };
}

const asking = {
  id: 'zones-1799539200',
  by: 'ann',
  at: '2027-01-10T00:00:00.000Z',
  state: 'sent' as const,
  leaseUntil: '2027-01-10T00:15:00.000Z',
  answersBy: '2027-01-10T00:21:00.000Z',
  servers: 2,
  left: { count: 1, first: [{ server: 'db-1', why: 'has no instance id, account and Region' }] },
};

const row = (number: number, changes: Partial<ShownZone> = {}): ShownZone => ({
  server: `web-${number}`,
  id: serverId(number),
  verdict: 'same',
  says: 'Europe/Berlin',
  method: 'timedatectl',
  recorded: 'Europe/Berlin',
  words: 'the server says Europe/Berlin (timedatectl), recorded is Europe/Berlin',
  disagreements: [],
  at: '2027-01-10T00:01:00.000Z',
  ...changes,
});

function shownOf(rows: readonly ShownZone[], changes: Partial<ShowZonesOutput> = {}): ShowZonesOutput {
  const counts = Object.fromEntries(
    shownVerdicts.map((verdict) => [verdict, rows.filter((one) => one.verdict === verdict).length]),
  ) as ShowZonesOutput['counts'];
  return { ...asking, servers: rows.length, complete: true, counts, rows, unread: [], ...changes };
}

describe('quarterdeck zones ask', () => {
  it('asks all servers, says who was left out, and where to see the answers', async () => {
    const { code, name, input, out } = await run(asking, ['zones', 'ask']);
    expect({ code, name }).toEqual({ code: 0, name: 'ask-zones' });
    expect(askZonesInput.parse(input)).toEqual({ by: 'ann' });
    expect(out).toContain('2 servers are asked for their time zone');
    expect(out).toContain('not asked: db-1 has no instance id');
    expect(out).toContain('quarterdeck zones show --aws');
  });

  it('names some, by name or id', async () => {
    const { input, out } = await run(asking, ['zones', 'ask', '--servers', 'web-1, web-2', '--json']);
    expect(askZonesInput.parse(input)).toEqual({ by: 'ann', servers: ['web-1', 'web-2'] });
    expect(JSON.parse(out)).toEqual(asking);
  });

  it.each([
    [['zones', 'ask', '--servers', 'web-1,'], 'has a name that is empty'],
    [['zones', 'ask', 'web-1'], 'unexpected argument "web-1"'],
    [['zones'], 'Write one of ask, show'],
  ])('refuses %j', (argv, says) => {
    expect(() => parseCommandLine([...argv, '--aws'])).toThrow(says);
  });
});

describe('quarterdeck zones show', () => {
  const differs = row(1, { verdict: 'differs', says: 'America/New_York', method: 'etc-timezone' });

  it('shows zones side by side and ends with 4 where they differ', async () => {
    const offset = row(2, { verdict: 'possible', says: '+01:00', method: 'date' });
    const { code, name, input, out } = await run(shownOf([differs, offset, row(3)]), ['zones', 'show']);
    expect({ code, name }).toEqual({ code: 4, name: 'show-zones' });
    expect(showZonesInput.parse(input)).toEqual({});
    expect(out).toMatch(/SERVER +SAYS +BY +RECORDED/);
    expect(out).toMatch(/web-1 +America\/New_York +etc-timezone +Europe\/Berlin +differs\n/);
    expect(out).toMatch(/web-2 +\+01:00 +date +Europe\/Berlin +possible\n/);
    expect(out).toContain('3 servers: 1 differs, 1 possible, 1 same; asked for by ann at 2027-01-10T00:00');
    expect(out).toContain('nothing follows by itself');
    expect(out).toContain('not asked: db-1');
  });

  it('ends with 0 where nothing differs', async () => {
    const silent = { says: null, method: null };
    const waiting = row(2, { verdict: 'waiting', ...silent });
    const unknown = row(4, { verdict: 'unknown', ...silent, words: 'its agent does not answer' });
    const { code, out } = await run(shownOf([waiting, unknown, row(3)]), ['zones', 'show']);
    expect(code).toBe(0);
    expect(out).toMatch(/web-2 +Europe\/Berlin +waiting\n/);
    expect(out).toMatch(/web-4 +Europe\/Berlin +its agent does not answer\n/);
    expect(out).not.toContain('nothing follows');
  });

  it('says how a server contradicts itself, which is not well', async () => {
    const disagreements = ['timedatectl says Europe/Berlin, date says \u001b[2J+00:00'];
    const { code, out } = await run(shownOf([row(1, { verdict: 'contradictory', disagreements })]), [
      'zones',
      'show',
    ]);
    expect(code).toBe(4);
    expect(out).toContain(
      'web-1 contradicts itself: timedatectl says Europe/Berlin, date says \u241b[2J+00:00',
    );
  });

  it('names what could not be read, and servers that the inventory has no more', async () => {
    const gone = row(1, { recorded: null });
    const unread = ['222222222222/eu-west-1: access denied'];
    const { out } = await run(shownOf([gone], { unread }), ['zones', 'show']);
    expect(out).toContain('no more');
    expect(out).toContain('not read: 222222222222/eu-west-1: access denied');
  });

  it.each([60, 80, 100])('fits %i columns, and shows all of a long list when asked', async (columns) => {
    const rows = Array.from({ length: 60 }, (_, index) =>
      row(index + 1, { server: `a-server-with-a-very-long-name-of-its-own-${index + 1}.example.com` }),
    );
    const { out } = await run(shownOf([differs, ...rows]), ['zones', 'show'], columns);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
    expect(out).toContain('and 11 more: --all shows them');
    const all = await run(shownOf([differs, ...rows]), ['zones', 'show', '--all'], columns);
    expect(all.out).not.toContain('more: --all');
  });

  it('is said as JSON where that is asked for', async () => {
    const { out } = await run(shownOf([differs]), ['zones', 'show', '--json']);
    expect(JSON.parse(out)).toEqual(shownOf([differs]));
  });
});

it('is of a stack on AWS: this machine has no servers to ask', async () => {
  for (const verb of ['ask', 'show'])
    expect(await createCliWorld().run('zones', verb)).toMatchObject({
      code: 1,
      note: expect.stringContaining('add --aws'),
    });
});

it('has help for both', () => {
  for (const verb of ['ask', 'show']) {
    expect(helpText(`zones ${verb}`)).toContain(`Usage: quarterdeck zones ${verb}`);
    expect(helpText(undefined)).toContain(`zones ${verb}`);
  }
});
