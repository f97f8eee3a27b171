/** Starts a fleet in a process of its own, says so, and waits to be killed, or closes it on SIGTERM. */
import { createSandboxFleet } from '../../apps/local/hosts/sandbox-fleet.ts';

const [how, cache] = process.argv.slice(2);
if ((how !== 'booted' && how !== 'rootless') || !cache) throw new Error('usage: fleet-child.ts HOW CACHE');
const fleet = await createSandboxFleet({
  servers: [
    { id: 'i-0123456789abcdef0', name: 'one' },
    { id: 'i-0123456789abcdef1', name: 'two' },
  ],
  how,
  installed: [],
  automatic: [],
  endpoints: () => ({
    metadata: (_request, response) => void response.end(),
    s3: (_request, response) => void response.end(),
  }),
  progress: () => {},
  now: () => new Date(),
  cache,
});
// A name that no other process has, to look for afterwards.
for (const host of fleet.hosts) host.run({ argv: ['sleep', `${100_000 + process.pid}`] });
process.once('SIGTERM', () => fleet.close());
process.stdout.write('up\n');
