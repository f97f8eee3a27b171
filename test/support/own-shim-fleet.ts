/** Starts a shim host with a process on it, says its pid, and waits to be killed. */
import { startShimFleet } from '../../apps/local/hosts/shim.ts';

const { hosts } = await startShimFleet({
  servers: [{ id: 'i-0123456789abcdef0', name: 'orphan' }],
  installed: [],
  automatic: [],
  endpoints: () => ({ metadata() {}, s3() {} }),
});
const started = hosts[0]?.run({ argv: ['bash', '-c', 'echo $$; exec sleep 1000'] });
started?.stdout.pipe(process.stdout);
