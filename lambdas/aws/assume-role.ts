/** Owns how the functions become the member role of another account. */
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Assume } from './place-clients.ts';

export const assumeRole: Assume = (roleArn, region) =>
  fromTemporaryCredentials({
    params: { RoleArn: roleArn, RoleSessionName: 'quarterdeck' },
    // The Regional endpoint of the place: the role must work when another Region does not.
    clientConfig: { region },
  });
