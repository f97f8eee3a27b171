import { beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from '../../../apps/cli/arguments.ts';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import type { CallName } from '../../../core/calls.ts';
import { update } from '../../../core/entities.ts';
import { endReboot, type Reboot, rebootKey, reboots } from '../../../core/reboot.ts';
import {
  askedRebootInput,
  cancelReboot,
  cancelRebootInput,
  requestReboot,
  showReboot,
  showRebootInput,
  windowOf,
} from '../../../core/use-cases/request-reboot.ts';
import { runAgainst } from '../../support/cli-answers.ts';
import { createCliWorld } from '../../support/cli-world.ts';
import { policyOf, serverOf } from '../../support/samples.ts';

const now = '2027-01-10T00:00:00.000Z';
const server = { ...serverOf(1), zone: 'Europe/Berlin' };
let records: ReturnType<typeof createMemoryRecords>;
beforeEach(() => {
  records = createMemoryRecords();
});

/** As the functions of these names, for one server. */
const functions: Partial<Record<CallName, (input: unknown) => Promise<unknown>>> = {
  'request-reboot': (input) => {
    const { mode, reason, by, start, minutes } = askedRebootInput.parse(input);
    const window = windowOf(policyOf(), server.zone, { start, minutes }, now);
    return requestReboot({ records }, { server, policy: policyOf(), mode, reason, by, window }, now);
  },
  'show-reboot': (input) => showReboot({ records }, showRebootInput.parse(input).serverId),
  'cancel-reboot': (input) => cancelReboot({ records }, cancelRebootInput.parse(input), now),
};

const run = (...argv: readonly string[]) => runAgainst(async (name, input) => functions[name]?.(input), argv);

const change = (changed: (current: Reboot) => Reboot) =>
  update(records, reboots, rebootKey(server.id), changed);
const show = () => run('reboot', 'show', server.id);

describe('quarterdeck reboot', () => {
  it('asks for a restart in a window, and shows it on the clock of the server', async () => {
    const { code, out } = await run(
      ...['reboot', 'request', server.name, '--reason', 'kernel of January'],
      ...['--start', '2027-01-10T03:00:00+02:00', '--minutes', '120'],
    );
    expect(code).toBe(0);
    expect(out).toContain('state       pending, waits for its window');
    expect(out).toContain('window      Sun 2027-01-10 02:00 to Sun 2027-01-10 04:00');
    expect(out).toContain('reboots     only if it needs to');
    expect(out).toContain('by ann, Sun 2027-01-10 01:00: kernel of January');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('says always, and who, and prints JSON', async () => {
    const { out } = await run(
      ...['reboot', 'request', server.id, '--reason', 'a', '--always', '--by', 'bob', '--json'],
    );
    expect(JSON.parse(out)).toMatchObject({ mode: 'always', by: 'bob', state: 'pending' });
  });

  it.each<[Partial<Reboot>, number, string]>([
    [{ state: 'sent' }, 0, 'sent, seen: Run Command took the command'],
    [{ state: 'rebooting' }, 0, 'rebooting, inferred: '],
    [{ state: 'timeout' }, 4, 'timeout, inferred: nothing was heard of it by its deadline'],
    [{ state: 'failed' }, 4, 'failed, seen: '],
    [{ state: 'missed' }, 4, 'missed, its window closed'],
    [
      { state: 'completed', boot: { before: 'a', after: 'b' } },
      0,
      'completed, seen: it runs on another boot, and is well',
    ],
    [{ state: 'completed', boot: { before: 'a', after: 'a' } }, 0, 'completed, seen: it had no need'],
    [{ state: 'completed', boot: null }, 0, 'completed, seen: it had no need'],
  ])('tells %j with exit code %i', async (changes, code, words) => {
    await run('reboot', 'request', server.name, '--reason', 'a', '--minutes', '120');
    await change((current) => ({ ...current, ...changes }));
    const shown = await show();
    expect(shown.code).toBe(code);
    expect(shown.out).toContain(words);
  });

  it('shows why, and those before it', async () => {
    await run('reboot', 'request', server.name, '--reason', 'the first', '--minutes', '120');
    await change((current) =>
      endReboot(current, 'failed', [{ code: 'server-gone', detail: 'it is\u001b[2J gone' }], now),
    );
    expect((await show()).out).toContain('because     server-gone: it is\u241b[2J gone');
    await run('reboot', 'request', server.name, '--reason', 'the second', '--minutes', '120');
    const { code, out } = await show();
    expect(code).toBe(0);
    expect(out).toContain('Sun 2027-01-10 01:00: the second');
    expect(out).toMatch(/before {6}Sun 2027-01-10 01:00: failed, it is.* gone \(ann: the first\)/);
  });

  it('takes one back that waits, and refuses what can not be', async () => {
    await expect(show()).rejects.toMatchObject({ name: 'Refused', code: 'no-reboot' });
    await run('reboot', 'request', server.name, '--reason', 'a', '--minutes', '120');
    const second = run('reboot', 'request', server.name, '--reason', 'b', '--minutes', '120');
    await expect(second).rejects.toMatchObject({ code: 'reboot-pending' });
    const { code, out } = await run('reboot', 'cancel', server.id, '--reason', 'not tonight');
    expect(code).toBe(0);
    expect(out).toContain('cancelled, by a person, before it was sent');
    expect(out).toContain('cancelled by ann: not tonight');
    await expect(run('reboot', 'cancel', server.id, '--reason', 'again')).rejects.toMatchObject({
      code: 'no-reboot',
    });
  });

  it.each([
    [['request', 'web-1'], '--reason is missing'],
    [['request', '--reason', 'a'], 'needs a word more: the server, by id or name'],
    [['request', 'web-1', '--reason', 'a', '--minutes', '14'], 'is not a number from 15 to 1440'],
    [['request', 'web-1', '--reason', 'a', '--minutes', '2h'], 'is not a number from 15 to 1440'],
    [['request', 'web-1', '--reason', 'a', '--start', 'tonight'], '--start "tonight" is not an instant'],
    [['show', 'web-1'], '"web-1" is not the id of a server'],
    [['cancel', server.id], '--reason is missing'],
  ])('%j is refused: %s', (argv, message) => {
    const parse = () => parseCommandLine(['reboot', ...argv, '--aws']);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  it('is of a stack on AWS', async () => {
    expect(await createCliWorld().run('reboot', 'show', server.id)).toMatchObject({
      code: 1,
      note: expect.stringContaining('add --aws'),
    });
  });
});
