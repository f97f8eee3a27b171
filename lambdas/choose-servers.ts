/** Owns which servers a campaign is for: those of its policy's environment, wherever the settings say to look. */
import type { Policy } from '../core/policy.ts';
import type { Place, Server } from '../core/server.ts';
import type { Settings } from '../core/settings.ts';
import type { FoundServers, LeftOut } from './aws/opted-in-servers.ts';

export interface ChosenServers {
  readonly policy: Policy;
  readonly servers: readonly Server[];
  /** Opted in, and of no campaign whatever: no agent, no environment, a platform that is not known. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * @param listed servers that the caller names; nothing is looked for then, and the gate still leaves out those
 * without the opt-in tag
 * @throws Error when there is no such policy, no server to patch, or a place that can not be looked at: whoever asked
 * for all servers must not get fewer
 */
export async function chooseServers(
  settings: Settings,
  policyName: string,
  serversIn: (settings: Settings, place: Place) => Promise<FoundServers>,
  listed?: readonly Server[],
): Promise<ChosenServers> {
  const [environment, policy] =
    Object.entries(settings.policies).find(([, each]) => each.name === policyName) ?? [];
  if (environment === undefined || policy === undefined) {
    const names = Object.values(settings.policies).map((each) => each.name);
    throw new Error(`there is no policy ${policyName}: choose of ${names.join(', ')}`);
  }
  if (listed) {
    const stranger = listed.find((server) => server.environment !== environment);
    if (stranger)
      throw new Error(
        `server ${stranger.id} is of environment ${stranger.environment}, policy ${policyName} is for ${environment}`,
      );
    return { policy, servers: listed, leftOut: [] };
  }
  const servers: Server[] = [];
  const leftOut: LeftOut[] = [];
  for (const place of settings.places) {
    const found = await serversIn(settings, place).catch((error: unknown) => {
      throw unseen(place, error);
    });
    servers.push(...found.servers.filter((server) => server.environment === environment));
    leftOut.push(...found.leftOut);
  }
  if (servers.length === 0) {
    const why = leftOut[0] ? `; ${leftOut.length} were left out, ${leftOut[0].id}: ${leftOut[0].why}` : '';
    throw new Error(`no server of environment ${environment} carries the opt-in tag${why}`);
  }
  return { policy, servers, leftOut };
}

function unseen({ account, region }: Place, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(
    `servers of ${account}/${region} can not be looked for, deploy its stack or list the servers: ${message}`,
    { cause: error },
  );
}
