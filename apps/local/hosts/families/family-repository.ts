/** What a generated repository of any family but Debian's offers to those who publish into it. */
import type { RequestListener } from 'node:http';
import type { SigningKey } from '../openpgp.ts';
import type { PackageDescription } from './package-description.ts';
import type { Advisory, PackageGroup } from './rpm-metadata.ts';

/** Two repositories, so that one can be left out: a distribution's main one and one beside it. */
export type Channel = 'main' | 'extra';

export interface Publication {
  /** Ignored by Arch, which publishes none. */
  readonly advisories?: readonly Advisory[];
  /** Added to those the channel has; of an RPM repository only. */
  readonly groups?: readonly PackageGroup[];
  /** Signs the packages instead of the repository's key; null leaves them unsigned. */
  readonly packageKey?: SigningKey | null;
  /** Signs the channel's index until it changes again; null leaves it unsigned. */
  readonly indexKey?: SigningKey | null;
}

export interface FamilyRepository {
  readonly folder: string;
  /** Adds packages to a channel beside those it has, as a new generation; the same version is replaced. */
  publish(channel: Channel, packages: readonly PackageDescription[], more?: Publication): Promise<void>;
  /** Drops one version with its file and the advisories that name it, as mirrors drop superseded versions. */
  withdraw(channel: Channel, name: string, version: string): Promise<void>;
  /** Answers with what is published now. */
  readonly listener: RequestListener;
  /** Answers for ever with what is published when this is called: a mirror that has stopped moving. */
  stale(): Promise<RequestListener>;
}

export interface FamilyRepositoryOptions {
  readonly folder: string;
  readonly key: SigningKey;
  /** The machine's own time. */
  readonly now: () => Date;
}
