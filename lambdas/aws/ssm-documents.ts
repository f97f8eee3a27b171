/** Owns the pinning of documents: their newest version, once its content is what this release was made with. */
import {
  DescribeDocumentCommand,
  type DescribeDocumentCommandInput,
  type DescribeDocumentCommandOutput,
  GetDocumentCommand,
  type GetDocumentCommandInput,
  type GetDocumentCommandOutput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { documentContentHash } from '../../core/document.ts';
import { type Commands, type DocumentPin, PortError } from '../../core/ports.ts';
import type { Place } from '../../core/server.ts';
import type { ClientLocation } from './place-clients.ts';
import { isDenied, isNamed } from './ssm-errors.ts';

/** The calls of SSM that pinning makes. */
export interface DocumentCalls {
  describeDocument(
    input: DescribeDocumentCommandInput,
  ): Promise<Pick<DescribeDocumentCommandOutput, 'Document'>>;
  getDocument(input: GetDocumentCommandInput): Promise<Pick<GetDocumentCommandOutput, 'Content'>>;
}

export function createDocumentCalls(location: ClientLocation): DocumentCalls {
  const client = new SSMClient({ ...location, retryMode: 'adaptive', maxAttempts: 6 });
  return {
    describeDocument: (input) => client.send(new DescribeDocumentCommand(input)),
    getDocument: (input) => client.send(new GetDocumentCommand(input)),
  };
}

export interface SsmDocumentsOptions {
  readonly callsIn: (place: Place) => DocumentCalls;
  /** Hash over the content of each document, `documentContentHash`, by the document's name. */
  readonly expected: (name: string) => string | undefined;
}

/**
 * While a release is being deployed the documents and the functions change one after the other: a campaign that
 * opens in between would send one release's orders to the other's scripts. It fails, and is tried again.
 */
export function createSsmDocuments({ callsIn, expected }: SsmDocumentsOptions): Pick<Commands, 'pin'> {
  return {
    async pin(place, name) {
      // Asked first: the role may look at the documents of this release only, and any other answer is a denial.
      const wanted = expected(name);
      if (wanted === undefined) throw missing(place, name, 'this release has none of that name');
      const { pin, Content } = await newest(callsIn(place), place, name);
      const content = Content === undefined ? undefined : parsed(Content);
      const found = content === undefined ? 'nothing that can be read' : documentContentHash(content);
      if (found === wanted) return pin;
      throw new PortError(
        'document-differs',
        `document ${name} version ${pin.version} in ${place.account}/${place.region} has the content ${found}, this release was made with ${wanted}: deploy the stack there`,
      );
    },
  };
}

/** @throws PortError `document-missing`, `refused` */
async function newest(calls: DocumentCalls, place: Place, name: string) {
  try {
    const pin = await describe(calls, place, name);
    const { Content } = await calls.getDocument({
      Name: name,
      DocumentVersion: pin.version,
      DocumentFormat: 'JSON',
    });
    return { pin, Content };
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw new PortError('refused', `document ${name}: ${error.message}`, { cause: error });
  }
}

async function describe(calls: DocumentCalls, place: Place, name: string): Promise<DocumentPin> {
  try {
    const { Document } = await calls.describeDocument({ Name: name, DocumentVersion: '$LATEST' });
    const { DocumentVersion, Hash, HashType } = Document ?? {};
    if (DocumentVersion === undefined || Hash === undefined || HashType !== 'Sha256')
      throw new Error(`SSM describes document ${name} without a version or without a SHA-256`);
    return { name, version: DocumentVersion, hash: Hash };
  } catch (error) {
    if (!isNamed(error, 'InvalidDocument', 'InvalidDocumentVersion')) throw error;
    throw missing(place, name, 'it is not there');
  }
}

function missing(place: Place, name: string, why: string): PortError {
  return new PortError('document-missing', `document ${name} in ${place.account}/${place.region}: ${why}`);
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
