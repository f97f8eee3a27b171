/** Owns the deploying of a template: CloudFormation makes a stack of it, and says what it has made. */
import type { AwsApi } from './aws-api.ts';

export interface DeployedStack {
  /** As the template names them: `StateTable`, `CampaignBucket`, `NoticeTopic`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Physical id by logical id, of what moto's CloudFormation made. */
  readonly physical: Readonly<Record<string, string>>;
}

/** @param api of the account and Region; @param template in words that moto's CloudFormation takes */
export async function deploy(api: AwsApi, StackName: string, template: object): Promise<DeployedStack> {
  const call = (action: string, input: Record<string, string> = {}) =>
    api.query('cloudformation', '2010-05-15', action, { StackName, ...input });
  await bootstrap(api);
  await call('CreateStack', {
    TemplateBody: JSON.stringify(template),
    'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
  });
  return {
    outputs: pairs(await call('DescribeStacks'), 'OutputKey', 'OutputValue'),
    physical: pairs(await call('DescribeStackResources'), 'LogicalResourceId', 'PhysicalResourceId'),
  };
}

/** Templates of CDK ask for the version of what `cdk bootstrap` made. */
async function bootstrap(api: AwsApi): Promise<void> {
  const version = { Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String' };
  await api.json('ssm', 'AmazonSSM.PutParameter', version);
}

/** Of an answer in XML: the texts of two elements of each member that has both. */
function pairs(xml: string, key: string, value: string): Record<string, string> {
  const field = (member: string, name: string) =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(member)?.[1]?.replaceAll(/&(#?\w+);/g, unescaped);
  return Object.fromEntries(
    xml.split('<member>').flatMap((member) => {
      const [name, text] = [field(member, key), field(member, value)];
      return name === undefined || text === undefined ? [] : [[name, text]];
    }),
  );
}

function unescaped(whole: string, name: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return named[name] ?? (name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : whole);
}
