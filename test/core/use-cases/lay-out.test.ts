import { describe, expect, test } from 'vitest';
import { create as createItem, exceptions } from '../../../core/entities.ts';
import { plusSeconds } from '../../../core/instant.ts';
import { PortError } from '../../../core/ports.ts';
import { createCampaign } from '../../../core/use-cases/create-campaign.ts';
import { openCampaign } from '../../../core/use-cases/open-campaign.ts';
import { sealCampaign } from '../../../core/use-cases/seal-campaign.ts';
import { stopCampaign } from '../../../core/use-cases/stop-campaign.ts';
import { type BareCampaign, createBareCampaign, inputOf } from '../../support/bare-campaign.ts';
import { carryOut, created, opened, plainPolicy, prepared } from '../../support/campaign-stages.ts';
import { campaignId, dublin, exceptionOf, policyOf, serverOf, window } from '../../support/samples.ts';
import type { Host } from '../../support/scripted-run-command.ts';

const servers = [serverOf(1), serverOf(2), serverOf(3, { family: 'rhel' }), serverOf(4, { place: dublin })];
const open = (world: BareCampaign) => openCampaign(world.ports, { campaignId }, world.now());
const seal = (world: BareCampaign) => sealCampaign(world.ports, { campaignId }, world.now());

describe('creating a campaign', () => {
  const create = (world: BareCampaign, changes: object = {}) =>
    createCampaign(world.ports, { ...inputOf(servers), ...changes }, world.now());

  test('again changes nothing, and starts the execution that may have been lost', async () => {
    const world = createBareCampaign(servers);
    await create(world);
    const stored = await world.stored();
    world.sleep(60);
    await create(world);
    expect(await world.stored()).toEqual(stored);
    expect(world.started).toEqual([campaignId, campaignId]);
  });

  test.each([
    ['serversKey', { servers: servers.slice(1) }],
    ['window', { window: { ...window, end: plusSeconds(window.end, 60) } }],
    ['policy', { policy: policyOf({ reboot: 'never' }) }],
    ['quarter', { quarter: '2027-Q2' }],
    ['requestedBy', { requestedBy: 'mallory' }],
  ])('whose id is taken by one with another %s is refused', async (name, changes) => {
    const world = createBareCampaign(servers);
    await create(world);
    await expect(create(world, changes)).rejects.toThrow(`exists with another ${name}: choose another id`);
  });

  test.each([
    [{ servers: [] }, /Too small/],
    [{ servers: [serverOf(1), serverOf(1)] }, /is listed twice/],
    [{ campaignId: 'x' }, /is not a campaign id/],
    [{ quarter: 'Q1' }, /is not a quarter/],
    [{ window: { ...window, end: window.start } }, /window ends before it starts/],
    [{ servers: [{ ...serverOf(1), id: 'web-1' }] }, /is not an instance id/],
  ])('of %j is refused before anything is stored', async (changes, message) => {
    const world = createBareCampaign(servers);
    await expect(create(world, changes)).rejects.toThrow(message);
    expect(await world.stored()).toEqual({});
    expect(world.started).toEqual([]);
  });
});

describe('opening a campaign', () => {
  test('lays out every server, in batches of one kind, and pins the documents', async () => {
    const world = await opened({ servers });
    expect(await world.states()).toEqual(Array(4).fill('planned'));
    const batches = await Promise.all(['p-0001', 'p-0002', 'p-0003'].map(world.batch));
    expect(batches.map(({ serverIds }) => serverIds.length)).toEqual([2, 1, 1]);
    const { documents, state } = await world.campaign();
    expect(state).toBe('preparing');
    expect(Object.keys(documents)).toHaveLength(12);
  });

  test('again, after a new version of the documents, keeps the pins', async () => {
    const world = await opened({ servers });
    const { documents } = await world.campaign();
    world.ports.commands.pin = async (_place, name) => ({ name, version: '8', hash: 'new' });
    await open(world);
    expect((await world.campaign()).documents).toEqual(documents);
  });

  test('holds who is held, and names the families that have no document', async () => {
    const world = await created({ servers });
    world.runCommand.undocumented.add('rhel');
    await createItem(
      world.ports.records,
      exceptions,
      exceptionOf({ package: null, scope: { kind: 'server', serverId: serverOf(2).id } }),
    );
    await open(world);
    expect(await world.states()).toEqual(['planned', 'held', 'unsupported', 'planned']);
    expect((await world.job(serverOf(3))).reasons[0]?.code).toBe('no-document');
    await carryOut(world, 'p-0001', 'prepare');
    expect(world.runCommand.reached.size).toBe(1);
  });

  test('where an account lets nobody in, ends its servers and goes on with the others', async () => {
    const world = await created({ servers });
    const { pin } = world.ports.commands;
    const refuse = new PortError('refused', 'not authorized to perform: sts:AssumeRole');
    world.ports.commands.pin = (place, name) =>
      place.region === dublin.region ? Promise.reject(refuse) : pin(place, name);
    await open(world);
    expect(await world.states()).toEqual(['planned', 'planned', 'planned', 'unreachable']);
    expect((await world.job(serverOf(4))).reasons).toEqual([
      {
        code: 'place-refused',
        detail: expect.stringContaining(
          'eu-west-1 lets nobody in: not authorized to perform: sts:AssumeRole',
        ),
      },
    ]);
    // Nobody there waits for a command, so the place is not even asked who answers.
    world.ports.fleet.presence = () => Promise.reject(new Error('access denied'));
    await carryOut(world, 'p-0002', 'prepare');
    expect((await world.batch('p-0002')).runs.prepare?.counts).toEqual({ unreachable: 1 });
  });

  test('where all accounts let nobody in, breaks instead of blaming the servers', async () => {
    const world = await created({ servers });
    world.ports.commands.pin = () => Promise.reject(new PortError('refused', 'not authorized'));
    await expect(open(world)).rejects.toThrow('not authorized');
    await expect(world.states()).rejects.toThrow('no stored item');
  });

  test('does not take another failure of Run Command for a missing document', async () => {
    const world = await created({ servers });
    world.ports.commands.pin = () => Promise.reject(new PortError('throttled', 'rate exceeded'));
    await expect(open(world)).rejects.toThrow('rate exceeded');
    await expect(world.states()).rejects.toThrow('no stored item');
  });

  test('too late for preparing and patching ends it, as does a stop', async () => {
    const late = await created({ servers });
    late.sleepUntil(plusSeconds(window.end, -6600));
    expect(await open(late)).toMatchObject({
      verdict: 'end',
      ending: 'missed',
      reason: { code: 'opened-too-late' },
    });
    const stopped = await created({ servers });
    await stopCampaign(stopped.ports, { campaignId, by: 'bob', reason: 'incident' }, stopped.now());
    expect(await open(stopped)).toMatchObject({ verdict: 'end', ending: 'stopped' });
  });
});

describe('sealing a campaign', () => {
  test('lays every server that has a plan into one wave, canaries of each kind first', async () => {
    const world = await prepared({
      servers,
      policy: policyOf({ ...plainPolicy, waves: { canary: 3, percentages: [100] } }),
      hosts: { 'web-1': { answers: { prepare: { says: { result: 'nothing-to-do', code: 2 } } } } },
    });
    expect(await seal(world)).toMatchObject({ verdict: 'go', waves: 1, approval: false });
    const batches = await Promise.all(['w0-0001', 'w0-0002', 'w0-0003'].map(world.batch));
    expect(batches.flatMap(({ serverIds }) => serverIds).toSorted()).toEqual(
      [2, 3, 4].map((n) => serverOf(n).id),
    );
    expect((await world.campaign()).seal).toMatchObject({ ready: 3, waves: [{ servers: 3, batches: 3 }] });
  });

  test('again gives the same root and the same waves', async () => {
    const world = await prepared({ servers });
    const first = await seal(world);
    const stored = await world.stored();
    expect(await seal(world)).toEqual(first);
    expect(await world.stored()).toEqual(stored);
  });

  test('has a root that changes with any plan', async () => {
    const root = async (names: string[]) => {
      const hosts = Object.fromEntries(names.map((name) => [name, { isUnknown: true }]));
      return seal(await prepared({ servers, hosts }));
    };
    expect(await root([])).toEqual(await root([]));
    expect(await root(['web-1'])).not.toMatchObject({ root: (await root([])) as object });
  });

  const all = (host: Host) => Object.fromEntries(servers.map(({ name }) => [name, host]));

  test('of servers that need nothing ends the campaign', async () => {
    const idle = {
      answers: { prepare: { says: { result: 'nothing-to-do' as const, code: 2, plan: null } } },
    };
    const world = await prepared({ servers, hosts: all(idle) });
    expect(await seal(world)).toMatchObject({
      verdict: 'end',
      ending: 'nothing-to-do',
      reason: { code: 'nothing-sealed', detail: expect.stringContaining('4 nothing-to-do') },
    });
    expect((await world.campaign()).seal).toBeNull();
  });

  test('of servers that could not be prepared is a campaign that went wrong, and not one with nothing to do', async () => {
    const world = await prepared({ servers, hosts: all({ isUnknown: true }) });
    expect(await seal(world)).toMatchObject({
      verdict: 'end',
      ending: 'stopped',
      reason: { code: 'nothing-prepared', detail: 'no server could be prepared: 4 unreachable' },
    });
  });

  test('waits for an approval no longer than until the last moment at which patching may begin', async () => {
    const policy = policyOf({ ...plainPolicy, approval: { required: true } });
    const world = await prepared({ servers, policy });
    world.sleepUntil(window.start);
    // Six hours of window, less dispatch, delivery, backup, transaction, reboot, the margin for killing, and the summary.
    expect(await seal(world)).toMatchObject({
      approval: true,
      approvalSeconds: 6 * 3600 - 120 - 300 - 300 - 3600 - 360 - 60 - 60,
    });
  });
});
