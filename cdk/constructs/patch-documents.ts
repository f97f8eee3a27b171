/** Owns the SSM documents of a place, each a new version when its content changes. */
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { documentContentHash, documentPrefix } from '../../core/document.ts';
import { type AssembledDocument, assembleDocuments } from '../../ssm-documents/assemble.ts';
import { fileOf } from '../repository.ts';

/** The documents of this release, under the names that campaigns know. */
export function patchDocuments(): readonly AssembledDocument[] {
  return assembleDocuments(fileOf('ssm-documents')).map(({ name, content }) => ({
    name: `${documentPrefix}${name}`,
    content,
  }));
}

/** What a campaign compares with when it pins a document. */
export function documentHashes(): Record<string, string> {
  return Object.fromEntries(
    patchDocuments().map(({ name, content }) => [name, documentContentHash(content)]),
  );
}

export class PatchDocuments extends Construct {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    for (const { name, content } of patchDocuments()) {
      new CfnDocument(this, name.slice(documentPrefix.length), {
        // Rights, the event rule and campaigns go by the name. A document keeps no state, so the name is safe.
        name,
        documentType: 'Command',
        documentFormat: 'JSON',
        content,
        // Versions that campaigns have pinned stay. No version name: one used again would break a rollback.
        updateMethod: 'NewVersion',
      });
    }
  }
}
