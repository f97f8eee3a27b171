/** Owns what functions may do with servers, in the stack's own account and, through the member role, in others. */
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { sentDocuments } from '../../core/document.ts';
import { phaseSchema } from '../../core/phase.ts';
import {
  type FunctionName,
  type FunctionShape,
  functions,
  portEnvironment,
} from '../../lambdas/functions.ts';
import type { PatchFunction } from './patch-function.ts';
import { type OptInTag, type ServerPort, serverRights } from './server-rights.ts';

interface Place {
  readonly account: string;
  readonly region: string;
}

export interface ServersProps {
  readonly home: Place;
  readonly places: readonly Place[];
  /** Name of the role in other accounts; empty where there are none. */
  readonly memberRole: string;
  readonly memberAccounts: readonly string[];
  readonly optInTag: OptInTag;
  /** Hash of each document's content, by its name. */
  readonly documents: Readonly<Record<string, string>>;
}

export class Servers extends Construct {
  private readonly props: ServersProps;

  constructor(scope: Construct, id: string, props: ServersProps) {
    super(scope, id);
    this.props = props;
  }

  grant(port: ServerPort, fn: PatchFunction): void {
    const { home, places, memberRole, memberAccounts, optInTag } = this.props;
    const documents = documentsOf(fn.name, this.props.documents);
    const { partition } = Stack.of(this);
    const rights = serverRights(port, {
      partition,
      account: home.account,
      regions: places.filter(({ account }) => account === home.account).map(({ region }) => region),
      optInTag,
      documents: Object.keys(documents),
    });
    for (const right of rights) fn.allow(right);
    if (memberAccounts.length > 0) {
      fn.allow({
        actions: ['sts:AssumeRole'],
        resources: memberAccounts.map((account) => `arn:${partition}:iam::${account}:role/${memberRole}`),
      });
    }
    const values = {
      memberRole,
      optInTag: `${optInTag.key}=${optInTag.value}`,
      documentHashes: JSON.stringify(documents),
    };
    for (const key of portEnvironment[port]) fn.setVariable(key, values[key]);
  }
}

/** Of all that functions send, what this one does. */
function documentsOf(
  name: FunctionName,
  documents: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { sends = phaseSchema.options }: FunctionShape = functions[name];
  const sent = sentDocuments(sends);
  return Object.fromEntries(Object.entries(documents).filter(([document]) => sent.includes(document)));
}
