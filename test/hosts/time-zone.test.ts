import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { createMemoryRecords } from '../../apps/local/memory-records.ts';
import { createCommands, createFleet } from '../../apps/local/run-command/commands.ts';
import { createHostAgent } from '../../apps/local/run-command/host-agent.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { documentPrefix } from '../../core/document.ts';
import { instantOf } from '../../core/instant.ts';
import { askZones } from '../../core/use-cases/ask-zones.ts';
import { type ShownZone, showZones } from '../../core/use-cases/show-zones.ts';
import { saveInventory } from '../../core/use-cases/stored-inventory.ts';
import { assembleTimeZoneDocument } from '../../ssm-documents/assemble.ts';
import { place } from '../support/document-trials.ts';
import { storedServer } from '../support/planned-fleet.ts';
import { type AptFleet, createAptFleet } from './apt-fleet.ts';
import { shell } from './observe.ts';

/** As IANA has them since 1996 and 1951. */
const zones = `
Rule EU 1981 max - Mar lastSun 1:00u 1:00 S
Rule EU 1996 max - Oct lastSun 1:00u 0 -
Zone Europe/Berlin 1:00 EU CE%sT
Zone Asia/Tokyo 9:00 - JST
`;

let fleet: AptFleet;
let host: Host;
let clock: LocalClock;
let service: RunCommand;

beforeAll(async () => {
  fleet = await createAptFleet({ names: ['zoned'], installed: [] });
  host = fleet.host('zoned');
  await host.writeFile('/root/zones', zones, 0o644);
  const compiled = await shell(host, 'zic -d /usr/share/zoneinfo /root/zones');
  expect(compiled).toMatchObject({ code: 0 });
  clock = createClock(Date.now(), Date.now);
  service = new RunCommand({ clock, ...place, emit: () => {} });
  const { name, content } = assembleTimeZoneDocument('ssm-documents');
  service.registerDocument(`${documentPrefix}${name}`, JSON.stringify(content));
  service.registerInstance(
    host.id,
    createHostAgent(host, { clock, region: place.region, rebootDelay: 1 }),
    host.name,
  );
});
afterAll(() => fleet?.close());

const unlinked = 'rm -f /etc/localtime /etc/timezone; cp /usr/share/zoneinfo/Europe/Berlin /etc/localtime';
/** A host that has systemd always answers by it; one without has no service to ask. */
const withoutService = 'systemctl mask --now systemd-timedated.service';

beforeEach(async () => {
  await shell(
    host,
    `systemctl unmask systemd-timedated.service; rm -f /etc/timezone /usr/local/bin/snmpget
ln -sfn /usr/share/zoneinfo/Europe/Berlin /etc/localtime`,
  );
});

/** The whole way: the stored inventory, Run Command, its agent, the document, and the judgement. */
async function askedOf(recorded: string): Promise<ShownZone> {
  const stores = { records: createMemoryRecords(), objects: createMemoryObjects('campaigns', place.region) };
  const server = storedServer(1, { name: host.name, zone: recorded, instanceId: host.id, ...place });
  await saveInventory(stores, [server], { by: 'ann', now: instantOf(clock.now()), expected: 0 });
  const ports = { ...stores, commands: createCommands(service), fleet: createFleet(service) };
  await askZones(ports, { by: 'ann' }, instantOf(clock.now()));
  for (;;) {
    const { complete, rows } = await showZones(ports, instantOf(clock.now()));
    if (complete) return rows[0] as ShownZone;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('a server that is asked for its time zone', () => {
  it('has it from timedatectl', async () => {
    expect(await askedOf('Europe/Berlin')).toMatchObject({
      verdict: 'same',
      says: 'Europe/Berlin',
      method: 'timedatectl',
      disagreements: [],
    });
    expect(await askedOf('Asia/Tokyo')).toMatchObject({ verdict: 'differs', recorded: 'Asia/Tokyo' });
  });

  it('has it from /etc/timezone where no service answers', async () => {
    await shell(host, `${withoutService}; ${unlinked}; echo Europe/Berlin >/etc/timezone`);
    expect(await askedOf('Europe/Berlin')).toMatchObject({ verdict: 'same', method: 'etc-timezone' });
  });

  it('has it from the link alone', async () => {
    await shell(host, withoutService);
    expect(await askedOf('Europe/Berlin')).toMatchObject({ verdict: 'same', method: 'localtime-link' });
  });

  it('has only an offset where there is nothing but a clock, which is taken for no zone', async () => {
    await shell(host, `${withoutService}; ${unlinked}; cp /usr/share/zoneinfo/Asia/Tokyo /etc/localtime`);
    const offset = { says: '+09:00', method: 'date' };
    expect(await askedOf('Asia/Tokyo')).toMatchObject({ verdict: 'possible', ...offset });
    expect(await askedOf('Europe/Berlin')).toMatchObject({ verdict: 'differs', ...offset });
  });

  it('is seen to contradict itself', async () => {
    await shell(host, 'echo Asia/Tokyo >/etc/timezone');
    expect(await askedOf('Europe/Berlin')).toMatchObject({
      verdict: 'contradictory',
      says: 'Europe/Berlin',
      disagreements: ['timedatectl says Europe/Berlin, etc-timezone says Asia/Tokyo'],
    });
  });

  // A stand-in for snmpget, with the words of net-snmp 5.9.3's own, which no host here has: Tokyo's half past ten.
  it('is asked by SNMP first, whose offset is held against the zone', async () => {
    await host.writeFile(
      '/usr/local/bin/snmpget',
      `#!/bin/sh\n[ "$SNMP_PERSISTENT_DIR" = /dev/null ] && echo 'Hex-STRING: 07 EB 01 09 0A 1E 00 00 2B 09 00 '\n`,
      0o755,
    );
    expect(await askedOf('Europe/Berlin')).toMatchObject({
      verdict: 'contradictory',
      says: 'Europe/Berlin',
      method: 'timedatectl',
      disagreements: ['timedatectl says Europe/Berlin, snmp says +09:00'],
    });
    await shell(host, `${withoutService}; ${unlinked}; cp /usr/share/zoneinfo/Asia/Tokyo /etc/localtime`);
    expect(await askedOf('Asia/Tokyo')).toMatchObject({
      verdict: 'possible',
      says: '+09:00',
      method: 'snmp',
    });
  });

  it('is as it was afterwards', async () => {
    // But for what the agent keeps of its commands.
    const files =
      'find /etc /var/lib /root /usr/local -xdev -newer /run/before ! -path "/var/lib/amazon/*" | sort';
    await shell(host, 'touch /run/before');
    await askedOf('Europe/Berlin');
    expect((await shell(host, files)).stdout).toBe('');
  });
});
