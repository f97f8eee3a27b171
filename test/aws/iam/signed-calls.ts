/** Owns who signed a recorded call: the function's role, or the role of another account that it had become. */
import { type AwsCall, accountOfCall } from '../proxy.ts';
import type { DeployedAccess } from './deployed-access.ts';
import type { Call } from './recorded-requests.ts';

/** Those who are no part of the stack. */
const outsiders: ReadonlySet<string> = new Set(['servers', 'people', 'test', 'deployment', 'anonymous']);

export function signedCalls(calls: readonly AwsCall[], access: DeployedAccess): Call[] {
  const home = access.home.account;
  const machineRole = access.arnOfOne('AWS::IAM::Role', 'PatchingCampaignRole');
  return calls
    .filter(({ caller }) => !outsiders.has(caller))
    .map((call) => {
      const { caller, role, service, operation, input, answer, region } = call;
      const own = caller === 'state-machine' ? machineRole : access.roleOf(caller as never);
      const account = accountOfCall(call, home);
      const status = answer && { status: answer.status };
      return { principal: role ?? own, service, operation, account, region, input, ...status };
    });
}
