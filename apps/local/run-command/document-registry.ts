/** Owns the documents that Run Command knows: every version of each, addressed as DescribeDocument addresses them. */
import { createHash } from 'node:crypto';
import { type DocumentDescription, RunCommandError } from './api.ts';
import { type CommandDocument, documentSizeLimit, parseDocument } from './document.ts';

export interface DocumentVersion {
  readonly name: string;
  readonly version: string;
  readonly content: string;
  /** SHA-256 of the content. AWS does not say what form it hashes, so nobody may compute it instead of asking. */
  readonly hash: string;
  readonly document: CommandDocument;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

const namePattern = /^[a-zA-Z0-9_\-.]{3,128}$/;
const reservedPrefix = /^(aws|amazon|amzn)/i;

export class DocumentRegistry {
  readonly #versions = new Map<string, DocumentVersion[]>();

  /** Creates the document, or its next version; the content of the latest version once more changes nothing. */
  register(name: string, content: string, now: number): DocumentDescription {
    if (!namePattern.test(name) || reservedPrefix.test(name))
      throw new RunCommandError('ValidationException', `${JSON.stringify(name)} cannot name a document`);
    if (Buffer.byteLength(content) > documentSizeLimit)
      throw new RunCommandError(
        'MaxDocumentSizeExceeded',
        `document ${name} has ${Buffer.byteLength(content)} bytes, and ${documentSizeLimit} are allowed`,
      );
    const document = parseDocument(name, content);
    const hash = createHash('sha256').update(content).digest('hex');
    const versions = this.#versions.get(name) ?? [];
    if (versions.at(-1)?.hash !== hash)
      versions.push({ name, version: String(versions.length + 1), content, hash, document, createdAt: now });
    this.#versions.set(name, versions);
    return this.describe(name, '$LATEST');
  }

  describe(name: string, version: string | undefined): DocumentDescription {
    const found = this.find(name, version);
    return {
      Name: name,
      Hash: found.hash,
      HashType: 'Sha256',
      DocumentVersion: found.version,
      LatestVersion: String(this.#versions.get(name)?.length),
      // As after CloudFormation's NewVersion: whoever wants the newest has to ask for it.
      DefaultVersion: '1',
      DocumentType: 'Command',
      SchemaVersion: found.document.schemaVersion,
      Status: 'Active',
      CreatedDate: found.createdAt / 1000,
    };
  }

  /** @param version numeric, `$LATEST`, or `$DEFAULT`, which stands for none too */
  find(name: string, version = '$DEFAULT'): DocumentVersion {
    const versions = this.#versions.get(name);
    if (!versions) throw new RunCommandError('InvalidDocument', `there is no document ${name}`);
    const index = version === '$LATEST' ? versions.length : version === '$DEFAULT' ? 1 : Number(version);
    const found = versions[index - 1];
    if (!found)
      throw new RunCommandError('InvalidDocumentVersion', `document ${name} has no version ${version}`);
    return found;
  }
}
