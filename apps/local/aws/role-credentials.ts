/** Owns the temporary credentials of the fleet's roles: who holds which, and until when. */
import { randomBytes } from 'node:crypto';
import { DateTime } from 'luxon';
import type { Place } from '../../../core/server.ts';

/** As much of a server as the endpoints need to know. */
export interface EndpointServer {
  readonly id: string;
  readonly place: Place;
}

/** Epoch milliseconds, as on AWS: the real ones, since servers sign with their own clocks. */
export interface EndpointClock {
  now(): number;
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface RoleSessions {
  /** New ones when those in use end soon; the old ones stay good until they do, as on EC2. */
  credentialsOf(server: EndpointServer): RoleCredentials;
  holderOf(accessKeyId: string): { server: EndpointServer; credentials: RoleCredentials } | undefined;
}

/** EC2 brings new credentials at least five minutes before the old ones expire. */
const renewBefore = 5 * 60_000;

export function createRoleSessions(clock: EndpointClock, lifetimeSeconds: number): RoleSessions {
  const latest = new Map<string, RoleCredentials>();
  const holders = new Map<string, { server: EndpointServer; credentials: RoleCredentials }>();
  return {
    credentialsOf(server) {
      const inUse = latest.get(server.id);
      if (inUse && inUse.expiresAt - renewBefore > clock.now()) return inUse;
      const issuedAt = Math.floor(clock.now() / 1000) * 1000;
      const credentials = {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        // As long as real ones, which do not fit in every buffer of a shell script's author.
        sessionToken: randomBytes(600).toString('base64'),
        issuedAt,
        expiresAt: issuedAt + lifetimeSeconds * 1000,
      };
      latest.set(server.id, credentials);
      holders.set(credentials.accessKeyId, { server, credentials });
      return credentials;
    },
    // Expired ones are kept: S3 tells ExpiredToken from InvalidAccessKeyId.
    holderOf: (accessKeyId) => holders.get(accessKeyId),
  };
}

/** `2026-11-21T01:00:00Z`, as AWS writes times to servers. */
export function awsTime(millis: number): string {
  return DateTime.fromMillis(millis, { zone: 'utc' }).toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

/** What the agent of a hybrid node keeps in `/root/.aws/credentials`. */
export function sharedCredentialsFile(credentials: RoleCredentials): string {
  return [
    '[default]',
    `aws_access_key_id     = ${credentials.accessKeyId}`,
    `aws_secret_access_key = ${credentials.secretAccessKey}`,
    `aws_session_token     = ${credentials.sessionToken}`,
    '',
  ].join('\n');
}
