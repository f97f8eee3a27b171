/** Owns what Run Command must be to the use-cases, and the fleet with it; run it on each adapter of the two ports. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandRequest, Commands, Fleet, Invocation, PortErrorCode } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';

/**
 * The document takes the parameter `Word` (`^[a-z]+$`) and ends with a step that prints it. Servers do as their
 * names say.
 */
export interface CommandsUnderTest {
  readonly commands: Commands;
  readonly fleet: Fleet;
  readonly place: Place;
  readonly document: string;
  readonly servers: {
    /** At least 60 that print the word and end with 0. */
    readonly good: readonly string[];
    /** Prints the word and ends with 1. */
    readonly failing: string;
    /** Registered, but its agent does not answer. */
    readonly offline: string;
    /** Of no account and Region that is known. */
    readonly unknown: string;
  };
  /** Now, in the clock of the service. */
  now(): string;
  /** Gives the document a further version, which prints something else. */
  reviseDocument(): Promise<void>;
  /** Lets so much time pass that every server which answers has answered. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function describeCommands(name: string, open: () => Promise<CommandsUnderTest>): void {
  describe(`Run Command on ${name}`, () => {
    let world: CommandsUnderTest;
    let good: readonly [string, string];
    let sent = 0;
    beforeAll(async () => {
      world = await open();
      good = world.servers.good.slice(0, 2) as [string, string];
    });
    afterAll(() => world?.close());

    const request = async (changes: Partial<CommandRequest> = {}): Promise<CommandRequest> => ({
      document: await world.commands.pin(world.place, world.document),
      serverIds: good,
      parameters: { Word: 'hello' },
      comment: `contract ${++sent}`,
      deliveryTimeout: 60,
      ...changes,
    });
    const send = async (changes: Partial<CommandRequest> = {}) =>
      world.commands.send(world.place, await request(changes));
    const invocations = async (id: string) =>
      new Map((await world.commands.invocations(world.place, id)).map((one) => [one.serverId, one]));

    const expectRefusal = async (code: PortErrorCode, changes: Partial<CommandRequest>) => {
      const before = world.now();
      const refused = await request(changes);
      await expect(world.commands.send(world.place, refused)).rejects.toMatchObject({ code });
      await world.settle();
      expect(await world.commands.find(world.place, refused.comment, before)).toEqual([]);
    };

    it('pins the newest version of a document, with the hash that the service gives it', async () => {
      const pin = await world.commands.pin(world.place, world.document);
      expect(pin).toEqual({
        name: world.document,
        version: expect.stringMatching(/^[1-9]\d*$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      await world.reviseDocument();
      const revised = await world.commands.pin(world.place, world.document);
      expect(Number(revised.version)).toBe(Number(pin.version) + 1);
      expect(revised.hash).not.toBe(pin.hash);
    });

    it('says that a document is missing instead of pinning it', async () => {
      await expect(world.commands.pin(world.place, 'Quarterdeck-None')).rejects.toMatchObject({
        code: 'document-missing',
      });
    });

    it('carries a command out on every server, and brings back what its last step printed', async () => {
      const id = await send({ parameters: { Word: 'patched' } });
      await world.settle();
      const listed = await invocations(id);
      expect([...listed.keys()].toSorted()).toEqual([...good].toSorted());
      for (const one of listed.values())
        expect(one).toMatchObject({ status: 'succeeded', terminal: true, statusDetails: 'success' });
      expect(listed.get(good[0])?.summary).toMatch(/^patched\b/);
    });

    it('tells a server that failed from one that did not, with the output of both', async () => {
      const { failing } = world.servers;
      const id = await send({ serverIds: [good[0], failing] });
      await world.settle();
      const listed = await invocations(id);
      expect(listed.get(good[0])?.status).toBe('succeeded');
      expect(listed.get(failing)).toMatchObject<Partial<Invocation>>({ status: 'failed', terminal: true });
      expect(listed.get(failing)?.summary).toContain('hello');
    });

    it('says of a server that does not answer that its command waits', async () => {
      const { offline } = world.servers;
      const id = await send({ serverIds: [good[0], offline], deliveryTimeout: 86_400 });
      await world.settle();
      const listed = await invocations(id);
      expect(listed.get(good[0])?.terminal).toBe(true);
      expect(listed.get(offline)).toMatchObject({ status: 'pending', terminal: false, summary: '' });
    });

    it('lists fifty servers of one command in one answer', async () => {
      const serverIds = world.servers.good.slice(0, 50);
      const id = await send({ serverIds });
      await world.settle();
      const listed = await invocations(id);
      expect(listed.size).toBe(50);
      expect(new Set([...listed.values()].map(({ status }) => status))).toEqual(new Set(['succeeded']));
    });

    it('runs the version that was pinned, whatever came after it', async () => {
      const document = await world.commands.pin(world.place, world.document);
      await world.reviseDocument();
      const [before, after] = await Promise.all([send({ document }), send()]);
      await world.settle();
      const first = async (id: string) => (await invocations(id)).get(good[0])?.summary;
      expect(await first(before)).not.toBe(await first(after));
    });

    it('finds commands by their whole comment, all of them, and none from before', async () => {
      const since = world.now();
      const comment = `campaign batch patch ${sent}`;
      const ids = [await send({ comment }), await send({ comment })];
      await send({ comment: `${comment} and more` });
      await world.settle();
      const found = await world.commands.find(world.place, comment, since);
      expect(new Set(found.map(({ commandId }) => commandId))).toEqual(new Set(ids));
      for (const one of found) {
        expect(one.comment).toBe(comment);
        expect(one.requestedAt >= since).toBe(true);
      }
      expect(await world.commands.find(world.place, comment, world.now())).toEqual([]);
    });

    it('finds a command among more than a page of others', async () => {
      const since = world.now();
      const id = await send({ comment: 'the first of many' });
      for (let count = 0; count < 55; count++) await send();
      await world.settle();
      const found = await world.commands.find(world.place, 'the first of many', since);
      expect(found.map(({ commandId }) => commandId)).toEqual([id]);
    });

    it('has no invocations of a command that it does not know', async () => {
      expect(await world.commands.invocations(world.place, '00000000-0000-4000-8000-000000000000')).toEqual(
        [],
      );
    });

    it('refuses the whole command for one server that it does not know', async () => {
      await expectRefusal('invalid-servers', { serverIds: [good[0], world.servers.unknown] });
    });

    it('refuses a hash that is not of the pinned version', async () => {
      const pin = await world.commands.pin(world.place, world.document);
      await expectRefusal('refused', { document: { ...pin, hash: '0'.repeat(64) } });
    });

    it.each([
      ['does not match its pattern', { Word: 'two words; reboot' }],
      ['is not one of the document', { Word: 'hello', Other: 'x' }],
    ])('refuses a parameter that %s', async (_, parameters) => {
      await expectRefusal('refused', { parameters });
    });

    it.each([
      ['more than fifty servers', () => ({ serverIds: world.servers.good.slice(0, 51) })],
      ['no server', () => ({ serverIds: [] })],
      ['a comment of more than 100 characters', () => ({ comment: 'x'.repeat(101) })],
      ['a delivery time-out under thirty seconds', () => ({ deliveryTimeout: 29 })],
    ])('refuses %s', async (_, changes) => {
      await expectRefusal('refused', changes());
    });

    it('tells which servers answer, which do not, and which are gone', async () => {
      const { offline, unknown } = world.servers;
      expect(await world.fleet.presence(world.place, [good[0], offline, unknown])).toEqual(
        new Map([
          [good[0], 'online'],
          [offline, 'offline'],
          [unknown, 'gone'],
        ]),
      );
    });

    it('tells the presence of more servers than a page holds', async () => {
      const presence = await world.fleet.presence(world.place, world.servers.good);
      expect(presence.size).toBe(world.servers.good.length);
      expect(new Set(presence.values())).toEqual(new Set(['online']));
    });
  });
}
