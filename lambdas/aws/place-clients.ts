/** Owns which client a call goes through: one per account and Region, with a role of that account where it is another. */
import type { SSMClientConfig } from '@aws-sdk/client-ssm';
import { PortError } from '../../core/ports.ts';
import { type Place, placeKey } from '../../core/server.ts';

/** Every client takes the same. */
type Credentials = NonNullable<SSMClientConfig['credentials']>;

/** Where the function itself runs. */
export interface Home {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

export interface ClientLocation {
  readonly region: string;
  readonly credentials?: Credentials;
  /** Elsewhere than AWS: a server of the tests. */
  readonly endpoint?: string;
}

/** Where a place's calls go. @throws PortError `refused` */
export type Locate = (place: Place) => ClientLocation;

/**
 * Makes credentials of a role in another account; given from outside, so that functions that stay in their own
 * account do not carry it.
 */
export type Assume = (roleArn: string, region: string) => Credentials;

/** @param memberRole name of the role that every other account has; empty where there are no other accounts */
export function locateFrom(home: Home, memberRole: string, assume: Assume): Locate {
  return ({ account, region }) => {
    if (account === home.account) return { region };
    if (memberRole === '') {
      throw new PortError(
        'refused',
        `account ${account} is not ${home.account}, and no role for other accounts is configured`,
      );
    }
    return {
      region,
      credentials: assume(`arn:${home.partition}:iam::${account}:role/${memberRole}`, region),
    };
  };
}

/** Clients are kept: each holds its connections, and what adaptive retry has learnt of throttling in that place. */
export function perPlace<Client>(make: (place: Place) => Client): (place: Place) => Client {
  const clients = new Map<string, Client>();
  return (place) => {
    const key = placeKey(place);
    const client = clients.get(key) ?? make(place);
    clients.set(key, client);
    return client;
  };
}
