/** Owns another account or Region on moto: what the template of its stack has there, and who may act in that account. */
import type { Resources, Synthesised } from '../support/synthesise.ts';
import { type AwsApi, createAwsApi } from './aws-api.ts';
import { deploy } from './cloud-formation.ts';
import { adapt } from './template.ts';

export interface PlaceOnMoto {
  readonly account: string;
  readonly region: string;
  readonly resources: Resources;
  /** Physical id by logical id. */
  readonly physical: Readonly<Record<string, string>>;
  readonly api: AwsApi;
}

export interface PlaceOptions {
  /** Of moto, or of what stands before it. */
  readonly endpoint: string;
  readonly template: Synthesised['stacks'][number];
  /** Account whose anybody's credentials are moto's own. */
  readonly home: string;
}

export async function makePlace({ endpoint, template, home }: PlaceOptions): Promise<PlaceOnMoto> {
  const { account, region, resources, text } = template;
  const caller = await keyIn({ endpoint, region, home, account, caller: 'deployment', role: 'Deployment' });
  const api = createAwsApi(endpoint, region, caller);
  const { physical } = await deploy(api, 'Quarterdeck-Servers', adapt(JSON.parse(text), ''));
  return { account, region, resources, physical, api };
}

export interface Acting {
  readonly endpoint: string;
  readonly region: string;
  readonly home: string;
  readonly account: string;
  /** Who asks. */
  readonly caller: string;
  /** Name of the role there; moto lets anybody become any. */
  readonly role: string;
}

/** @returns the access key id with which somebody acts in an account: a name at home, a session's elsewhere */
export async function keyIn({ endpoint, region, home, account, caller, role }: Acting): Promise<string> {
  if (account === home) return caller;
  const answer = await createAwsApi(endpoint, region, caller).query('sts', '2011-06-15', 'AssumeRole', {
    RoleArn: `arn:aws:iam::${account}:role/${role}`,
    RoleSessionName: caller,
  });
  const key = /<AccessKeyId>([^<]+)</.exec(answer)?.[1];
  if (key === undefined) throw new Error(`AssumeRole gave ${caller} no key in account ${account}: ${answer}`);
  return key;
}
