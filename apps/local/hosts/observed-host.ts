/** Owns a host that tells of its reboots, so that people can watch. */
import type { Host } from './host.ts';

export function observedHost(host: Host, onReboot: (isDown: boolean) => void): Host {
  return {
    id: host.id,
    name: host.name,
    kind: host.kind,
    env: host.env,
    online: () => host.online(),
    run: (command) => host.run(command),
    writeFile: (path, content, mode) => host.writeFile(path, content, mode),
    readFile: (path) => host.readFile(path),
    async reboot() {
      onReboot(true);
      await host.reboot();
      onReboot(false);
    },
    powerCut: () => host.powerCut(),
    close: () => host.close(),
  };
}
