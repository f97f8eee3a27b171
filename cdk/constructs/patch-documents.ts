/** Owns the SSM documents of a place, each a new version when its content changes. */
import { NestedStack } from 'aws-cdk-lib';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { documentContentHash, documentPrefix, sentDocuments } from '../../core/document.ts';
import { assembleDocuments, assembleTimeZoneDocument } from '../../ssm-documents/assemble.ts';
import { fileOf } from '../repository.ts';

/** The documents of this release, under the names that functions know. */
export function patchDocuments(): readonly { readonly name: string; readonly content: object }[] {
  const folder = fileOf('ssm-documents');
  const all = [...assembleDocuments(folder), assembleTimeZoneDocument(folder)];
  return all.map(({ name, content }) => ({ name: `${documentPrefix}${name}`, content }));
}

/** What a function compares with when it pins a document; nothing has rights on those that no function sends. */
export function documentHashes(): Record<string, string> {
  const sent = sentDocuments();
  return Object.fromEntries(
    patchDocuments()
      .filter(({ name }) => sent.includes(name))
      .map(({ name, content }) => [name, documentContentHash(content)]),
  );
}

/** A nested stack for each family, and for what is of none: a template has 1 MB, and all documents are more. */
export class PatchDocuments extends Construct {
  constructor(scope: Construct, constructId: string) {
    super(scope, constructId);
    const families = new Map<string, NestedStack>();
    for (const { name, content } of patchDocuments()) {
      const id = name.slice(documentPrefix.length);
      const [family = id] = id.split('-');
      const stack = families.get(family) ?? new NestedStack(this, family);
      families.set(family, stack);
      new CfnDocument(stack, id, {
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
