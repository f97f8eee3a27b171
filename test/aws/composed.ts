/** Owns the environment in which adapters are composed here as in a function: what Lambda sets, and where AWS is. */
import { vi } from 'vitest';
import type { Home } from '../../lambdas/aws/place-clients.ts';

/** @param endpoint of all services; undone by `vi.unstubAllEnvs` */
export function composeAt(endpoint: string, { account, region }: Omit<Home, 'partition'>): Home {
  const variables = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'contract',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return { partition: 'aws', account, region };
}
