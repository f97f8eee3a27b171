/** Owns the AWS that the embedded servers reach: S3 and instance metadata, as request listeners for each server. */
import type { RequestListener } from 'node:http';
import type { Objects } from '../../../core/ports.ts';
import { createFaults, type EndpointFaults } from './endpoint-faults.ts';
import { createMetadataListener } from './metadata-endpoint.ts';
import {
  createRoleSessions,
  type EndpointClock,
  type EndpointServer,
  sharedCredentialsFile,
} from './role-credentials.ts';
import { createS3Listener, type S3Request } from './s3-endpoint.ts';

export interface EndpointsOptions {
  /** Not metered: what servers ask for is told to `onRequest`. */
  readonly objects: Objects;
  /** The bucket that servers write their backups to; there is none when it is left out. */
  readonly backups?: Objects;
  readonly clock: EndpointClock;
  /** Six hours, as on EC2, unless said otherwise. */
  readonly credentialSeconds?: number;
  readonly onRequest?: (request: S3Request) => void;
}

export interface Endpoints {
  /** Attach them to the network of that server alone: whoever can connect is taken for it. */
  listenersFor(server: EndpointServer): { readonly metadata: RequestListener; readonly s3: RequestListener };
  /** Content of `/root/.aws/credentials` on a hybrid node; write it anew before it expires. */
  credentialsFile(server: EndpointServer): string;
  /** Of S3. */
  readonly faults: EndpointFaults;
}

export function createEndpoints({
  objects,
  backups,
  clock,
  credentialSeconds = 6 * 3600,
  onRequest = () => {},
}: EndpointsOptions): Endpoints {
  const sessions = createRoleSessions(clock, credentialSeconds);
  const faults = createFaults();
  return {
    listenersFor: (server) => ({
      metadata: createMetadataListener(server, sessions, clock),
      s3: createS3Listener({ objects, backups, clock, sessions, faults, onRequest }, server),
    }),
    credentialsFile: (server) => sharedCredentialsFile(sessions.credentialsOf(server)),
    faults,
  };
}
