import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../../apps/local/memory-records.ts';
import { type Instant, plusSeconds } from '../../../core/instant.ts';
import { sha256Of } from '../../../core/plan.ts';
import { type CommandRequest, type Invocation, PortError, type Presence } from '../../../core/ports.ts';
import {
  isUnwell,
  type Reboot,
  rebootCommandSeconds,
  rebootParameters,
  sendSeconds,
} from '../../../core/reboot.ts';
import { serverPrefix } from '../../../core/result-object.ts';
import { settingsSchema } from '../../../core/settings.ts';
import type { Summary } from '../../../core/summary.ts';
import { askReboot } from '../../../core/use-cases/ask-reboot.ts';
import { pauseAll } from '../../../core/use-cases/pause-all.ts';
import {
  askedRebootInput,
  cancelReboot,
  leaveReboot,
  requestReboot,
  showReboot,
} from '../../../core/use-cases/request-reboot.ts';
import { runReboots } from '../../../core/use-cases/run-reboots.ts';
import { functions } from '../../../lambdas/functions.ts';
import { allGood, policyOf, serverOf, summaryOf } from '../../support/samples.ts';

const asked = '2027-01-10T00:00:00.000Z';
const window = { start: '2027-01-10T01:00:00.000Z', end: '2027-01-10T03:00:00.000Z', zone: 'Europe/Berlin' };
const within = '2027-01-10T01:10:00.000Z';
const server = serverOf(1);
const policy = policyOf({ validation: { services: [{ unit: 'web.service' }] } });
const before = '11111111-1111-4111-8111-111111111111';
const after = '22222222-2222-4222-8222-222222222222';

let sent: { request: CommandRequest; commandId: string }[];
let presence: Presence;
let answer: Partial<Invocation>;
let refusal: PortError | undefined;
let records: ReturnType<typeof createMemoryRecords>;
let objects: ReturnType<typeof createMemoryObjects>;

beforeEach(() => {
  sent = [];
  presence = 'online';
  answer = { status: 'in-progress', terminal: false };
  refusal = undefined;
  records = createMemoryRecords();
  objects = createMemoryObjects('campaigns', 'eu-central-1');
});

const ports = () => ({
  records,
  objects,
  fleet: { presence: async () => new Map([[server.id, presence]]) },
  commands: {
    pin: async (_place: unknown, name: string) => ({ name, version: '1', hash: 'h' }),
    async send(_place: unknown, request: CommandRequest) {
      if (refusal && refusal.code !== 'ambiguous') throw refusal;
      const commandId = `command-${sent.length + 1}`;
      sent.push({ request, commandId });
      if (refusal) throw refusal;
      return commandId;
    },
    find: async (_place: unknown, comment: string) =>
      sent
        .filter(({ request }) => request.comment === comment)
        .map(({ commandId }) => ({ commandId, comment, requestedAt: within })),
    invocations: async (): Promise<Invocation[]> => [
      {
        serverId: server.id,
        status: 'pending',
        terminal: false,
        statusDetails: 'pending',
        summary: '',
        ...answer,
      },
    ],
  },
});

const request = (changes: Partial<Parameters<typeof requestReboot>[1]> = {}, now: Instant = asked) =>
  requestReboot(
    { records },
    { server, policy, reason: 'kernel of January', by: 'ann', window, ...changes },
    now,
  );
const run = (now: Instant) => runReboots(ports(), now);
const stored = () => showReboot({ records }, server.id);

async function says(changes: Partial<Summary> = {}): Promise<void> {
  const { id } = await stored();
  const content = gzipSync('quarterdeck-result 1\n');
  const key = `${serverPrefix(server)}/${id}/reboot.gz`;
  await objects.put(key, content);
  const summary: Summary = {
    ...summaryOf(server, 'verify'),
    phase: 'reboot',
    campaign: id,
    result: 'rebooted',
    plan: null,
    boot: { before, after },
    facts: { ...allGood, installed: null },
    object: { key, sha256: sha256Of(content), bytes: content.length },
    ...changes,
  };
  answer = {
    status: 'succeeded',
    terminal: true,
    statusDetails: 'success',
    summary: JSON.stringify(summary),
  };
}

describe('a reboot that was asked for', () => {
  test('waits for its window, is sent once, and is completed by another boot id', async () => {
    await request();
    expect(await run(asked)).toMatchObject({ looked: 0 });
    await run(within);
    await run(plusSeconds(within, 60));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.request).toMatchObject({
      document: { name: 'Quarterdeck-Debian-Reboot' },
      serverIds: [server.id],
      parameters: { Reboot: 'if-needed', RebootReserve: '300' },
    });
    const order = await objects.get(sent[0]?.request.parameters.OrderKey ?? '');
    expect(Buffer.from(order ?? '').toString()).toContain('service\tweb.service');
    await says();
    expect((await run(plusSeconds(within, 120))).ended).toHaveLength(1);
    expect(await stored()).toMatchObject({ state: 'completed', boot: { before, after }, attempts: 1 });
    expect(await run(plusSeconds(within, 180))).toMatchObject({ looked: 0 });
  });

  test('is the only one of its server until it has ended', async () => {
    await request();
    await expect(request({ by: 'bob' })).rejects.toMatchObject({
      code: 'reboot-pending',
      message: expect.stringContaining('asked for by ann'),
    });
    await cancelReboot({ records }, { serverId: server.id, by: 'ann', reason: 'not tonight' }, asked);
    const later = plusSeconds(asked, 10);
    await request({ by: 'bob' }, later);
    expect(await stored()).toMatchObject({
      by: 'bob',
      state: 'pending',
      past: [{ by: 'ann', state: 'cancelled' }],
    });
  });

  test('is refused where the policy never reboots, and where its window is too short', async () => {
    await expect(request({ policy: policyOf({ reboot: 'never' }) })).rejects.toMatchObject({
      code: 'reboot-withheld',
    });
    const short = { ...window, end: plusSeconds(window.start, 600) };
    await expect(request({ window: short })).rejects.toMatchObject({ code: 'window-too-short' });
  });

  test('is sent as long as it would end in its window although its run sends it last', async () => {
    expect(functions['run-reboots'].timeoutSeconds).toBeLessThanOrEqual(sendSeconds);
    const reboot = await request();
    const last = plusSeconds(window.end, -rebootCommandSeconds(reboot));
    const { delivery } = policy.timeouts;
    const onServer = Number(rebootParameters(reboot, objects, { key: '', sha256: '' }).ExecutionTimeout);
    expect(plusSeconds(last, sendSeconds + delivery + onServer) <= window.end).toBe(true);
    await run(plusSeconds(last, 1));
    expect(await stored()).toMatchObject({ state: 'missed' });
    await request({}, plusSeconds(asked, 60));
    await run(last);
    expect(sent).toHaveLength(1);
  });

  test('can not be cancelled once it is sent', async () => {
    await request();
    await run(within);
    const cancelled = cancelReboot({ records }, { serverId: server.id, by: 'ann', reason: 'oh no' }, within);
    await expect(cancelled).rejects.toMatchObject({ code: 'reboot-under-way' });
  });
});

describe('a reboot that was sent', () => {
  test('is rebooting once its agent does not answer, which is inferred', async () => {
    await request();
    await run(within);
    expect((await stored()).state).toBe('sent');
    presence = 'offline';
    await run(plusSeconds(within, 60));
    expect((await stored()).state).toBe('rebooting');
  });

  test.each<[string, Partial<Summary>, string]>([
    ['on the same boot id', { boot: { before, after: before } }, 'boot id is the one of before'],
    ['and is not well', { facts: { ...allGood, healthy: false } }, 'healthy: no'],
    ['without a result object', { object: null }, 'result object is missing'],
    [
      'with the object of another',
      { object: { key: 'servers/other/x.gz', sha256: 'a'.repeat(64), bytes: 1 } },
      'and not',
    ],
    ['of another job', { campaign: 'reboot-other' }, 'Run Command says'],
  ])('by a server that says so %s is no success', async (_what, changes, detail) => {
    await request();
    await run(within);
    await says(changes);
    await run(plusSeconds(within, 60));
    const reboot = await stored();
    expect(reboot.state).toBe('failed');
    expect(reboot.reasons[0]?.detail).toContain(detail);
  });

  test('has failed with the reason of the server where that refused', async () => {
    await request();
    await run(within);
    await says({
      result: 'refused',
      code: 1,
      reasons: [{ code: 'reboot-unknown', detail: 'can not be told' }],
    });
    await run(plusSeconds(within, 60));
    expect(await stored()).toMatchObject({ state: 'failed', reasons: [{ code: 'reboot-unknown' }] });
  });

  test('is timed out when nothing was heard by its deadline, and not before', async () => {
    await request();
    await run(within);
    const { sent: last } = await stored();
    await run(plusSeconds(last?.deadline ?? within, -1));
    expect((await stored()).state).toBe('sent');
    await run(last?.deadline ?? within);
    expect(await stored()).toMatchObject({ state: 'timeout', reasons: [{ code: 'no-answer' }] });
  });

  test('and reached nobody is sent once more, and then has failed', async () => {
    await request();
    for (const minute of [0, 1, 2, 3]) {
      answer = { status: 'undeliverable', terminal: true, statusDetails: 'undeliverable' };
      await run(plusSeconds(within, minute * 60));
    }
    expect(sent).toHaveLength(2);
    expect(await stored()).toMatchObject({ state: 'failed', attempts: 2 });
  });

  test('of which nobody knows how the call ended is found again and not sent twice', async () => {
    await request();
    refusal = new PortError('ambiguous', 'cut off');
    expect((await run(within)).failed).toHaveLength(1);
    refusal = undefined;
    await run(plusSeconds(within, 60));
    expect(sent).toHaveLength(1);
    expect((await stored()).sent?.commandId).toBe('command-1');
  });
});

describe('a reboot that a person asks for', () => {
  const settings = (changes: Partial<z.input<typeof settingsSchema>> = {}) =>
    settingsSchema.parse({
      schema: 1,
      policies: { [server.environment]: policy },
      places: [server.place],
      serverTags: {},
      defaultTimeZone: 'UTC',
      ...changes,
    });
  const ask = (settingsNow: ReturnType<typeof settings>) => {
    const input = { server: server.id, reason: 'kernel of January', by: 'ann', ...window, minutes: 120 };
    return askReboot({ records, objects }, settingsNow, server, askedRebootInput.parse(input), asked);
  };

  test('is of the HA groups that the configuration names, not of those of its tags alone', async () => {
    await ask(settings({ calendar: { haGroups: { db: [server.name, 'another'] } } }));
    expect((await stored()).server.haGroups).toEqual(['db']);
  });

  test('is refused where its environment has no policy', async () => {
    await expect(ask(settings({ policies: {} }))).rejects.toMatchObject({ code: 'no-policy' });
  });
});

describe('a reboot that two runs look at', () => {
  /** A run that is still reading what Run Command says while others run from their beginning to their end. */
  const slowRun = (now: Instant, meanwhile: () => Promise<unknown>) => {
    const slow = ports();
    const seen = answer;
    return runReboots(
      {
        ...slow,
        commands: {
          ...slow.commands,
          async invocations() {
            const [invocation] = await slow.commands.invocations();
            await meanwhile();
            return [{ ...(invocation as Invocation), ...seen }];
          },
        },
      },
      now,
    );
  };

  test('stays as the first has ended it', async () => {
    await request();
    await run(within);
    const deadline = (await stored()).sent?.deadline ?? within;
    const { ended } = await slowRun(deadline, async () => {
      await says();
      await run(plusSeconds(deadline, -1));
    });
    expect(await stored()).toMatchObject({ state: 'completed', boot: { before, after } });
    expect(ended).toEqual([]);
  });

  test('is not given up for an attempt that was followed by another', async () => {
    await request();
    await run(within);
    answer = { status: 'undeliverable', terminal: true, statusDetails: 'undeliverable' };
    await slowRun(plusSeconds(within, 60), async () => {
      await run(plusSeconds(within, 61));
      await run(plusSeconds(within, 120));
    });
    expect(sent).toHaveLength(2);
    expect(await stored()).toMatchObject({ state: 'sent', attempts: 2, sent: { commandId: 'command-2' } });
  });

  test('stays cancelled when its server is found gone at the same moment', async () => {
    await request();
    presence = 'gone';
    const gone = ports();
    const by = { serverId: server.id, by: 'ann', reason: 'not tonight' };
    const fleet = {
      async presence() {
        await cancelReboot({ records }, by, within);
        return gone.fleet.presence();
      },
    };
    await runReboots({ ...gone, fleet }, within);
    expect((await stored()).state).toBe('cancelled');
  });
});

describe('a patch whose reboot has a window of its own', () => {
  test('leaves a reboot for the next one, in the zone of the server, and no second', async () => {
    const nightly = policyOf({
      reboot: 'separate-window',
      rebootWindow: { cron: '30 2 * * sun', minutes: 90 },
    });
    const berlin = { ...server, zone: 'Europe/Berlin' };
    const campaign = { id: '2027-q1-canary', policy: nightly };
    await leaveReboot({ records }, campaign, berlin, asked);
    await leaveReboot({ records }, campaign, berlin, plusSeconds(asked, 60));
    expect(await stored()).toMatchObject({
      by: 'campaign 2027-q1-canary',
      requestedAt: asked,
      window: { start: '2027-01-10T01:30:00.000Z', end: '2027-01-10T03:00:00.000Z', zone: 'Europe/Berlin' },
    });
  });
});

describe('a reboot that must not be sent', () => {
  test('waits while everything is paused, and is missed with that reason', async () => {
    await request();
    await pauseAll({ records }, { by: 'ann', reason: 'incident' }, within);
    await run(within);
    expect(await stored()).toMatchObject({ state: 'pending', reasons: [{ code: 'paused' }] });
    await run(window.end);
    const missed = (await stored()) as Reboot;
    expect(missed.state).toBe('missed');
    // Counted: the server still runs what its update replaced.
    expect(isUnwell(missed)).toBe(true);
    expect(missed.reasons.map(({ code }) => code)).toEqual(['paused', 'window-closed']);
    expect(sent).toEqual([]);
  });

  test('waits while its agent does not answer, and goes out when it does', async () => {
    await request();
    presence = 'offline';
    await run(within);
    expect(await stored()).toMatchObject({ state: 'pending', reasons: [{ code: 'server-offline' }] });
    presence = 'online';
    await run(plusSeconds(within, 60));
    expect(await stored()).toMatchObject({ state: 'sent', reasons: [] });
  });

  test('has failed when its server is gone', async () => {
    await request();
    presence = 'gone';
    await run(within);
    expect(await stored()).toMatchObject({ state: 'failed', reasons: [{ code: 'server-gone' }] });
  });

  test('was no attempt when Run Command took nothing', async () => {
    await request();
    refusal = new PortError('throttled', 'slow down');
    await run(within);
    expect(await stored()).toMatchObject({ state: 'pending', attempts: 0, reasons: [{ code: 'not-sent' }] });
  });
});
