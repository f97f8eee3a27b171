import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDebianFleet } from '../../apps/local/hosts/debian-fleet.ts';
import type { Fleet } from '../../apps/local/hosts/fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { shell } from './observe.ts';

describe('a host that is a real Debian', () => {
  let fleet: Fleet;
  let host: Host;

  beforeAll(async () => {
    fleet = await createDebianFleet({
      servers: [{ id: 'i-0123456789abcdef0', name: 'bookworm' }],
      endpoints: (id) => ({
        metadata: (_request, response) => void response.end(id),
        s3: (_request, response) => void response.end(id),
      }),
      progress: () => {},
    });
    [host] = fleet.hosts as [Host];
  });
  afterAll(() => fleet?.close());

  it('runs bookworm with its services, all of them well', async () => {
    expect((await shell(host, '. /etc/os-release; echo $VERSION_CODENAME')).stdout).toBe('bookworm\n');
    expect((await shell(host, 'systemctl is-system-running')).stdout).toBe('running\n');
    expect((await shell(host, 'curl -sSI http://localhost')).stdout).toContain('Server: nginx');
    expect((await shell(host, 'dpkg --audit')).stdout).toBe('');
  });

  it("has Debian's own security updates pending, from Debian's mirror by its own key", async () => {
    expect(await shell(host, 'apt-get update --error-on=any')).toMatchObject({ code: 0, stderr: '' });
    const pending = (await shell(host, 'apt-get -s upgrade | grep ^Inst')).stdout;
    expect(pending).toMatch(/^Inst \S+ \[\S+\] \(\S+ Debian-Security:/m);
  });

  it('installs one of them, services and all', async () => {
    const [, name, version] =
      /^Inst (nginx-common|openssl|libssl3|tzdata|perl-base) \[\S+\] \((\S+) /m.exec(
        (await shell(host, 'apt-get -s upgrade')).stdout,
      ) ?? [];
    const install = `DEBIAN_FRONTEND=noninteractive apt-get -y install --only-upgrade ${name}`;
    expect(await shell(host, install)).toMatchObject({ code: 0 });
    expect((await shell(host, `dpkg-query -W ${name}`)).stdout).toContain(`\t${version}\n`);
    expect((await shell(host, 'systemctl is-system-running')).stdout).toBe('running\n');
  });
});
