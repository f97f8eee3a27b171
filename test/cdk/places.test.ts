/** Holds the stacks of other accounts and Regions, what a configuration may add to all, and use as a library. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { PatchPipeline } from '../../cdk/patch-pipeline.ts';
import { mostAccounts } from '../../core/configuration.ts';
import {
  actionsOf,
  configurationFrom,
  newApp,
  ofType,
  type Resource,
  resourcesOf,
  type Statement,
  statementsOf,
  synthesise,
} from '../support/synthesise.ts';

const { stacks, findings } = synthesise(
  configurationFrom(`
schema: 1
name: Patching
home: { account: '111111111111', region: eu-central-1 }
places:
  - { account: '111111111111', region: eu-central-1 }
  - { account: '111111111111', region: us-east-1 }
  - { account: '222222222222', region: eu-central-1 }
  - { account: '222222222222', region: us-east-1 }
memberRole: PatchMember
environments: { production: {} }
notifications: { emails: [ops@example.com] }
permissionsBoundary: Bounds
tags: { cost-center: '42' }
network: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], securityGroups: [sg-0a1b2c3d] }
logRetentionDays: 90
reservedConcurrency: { dispatch-batch: 20 }
`),
);
const [home, otherRegion, otherAccount, otherAccountAndRegion] = stacks.map(({ resources }) => resources) as [
  (typeof stacks)[number]['resources'],
  (typeof stacks)[number]['resources'],
  (typeof stacks)[number]['resources'],
  (typeof stacks)[number]['resources'],
];
const texts = stacks.map(({ text }) => text);

describe('stacks of places', () => {
  test('break no rule either', () => {
    expect(stacks).toHaveLength(4);
    expect(findings).toEqual([]);
  });

  test('hold the same documents everywhere', () => {
    const documents = stacks.map(({ resources }) =>
      ofType(resources, 'AWS::SSM::Document').map(([, { Properties }]) => Properties),
    );
    expect(documents[0]?.length).toBeGreaterThan(0);
    for (const others of documents) expect(others).toEqual(documents[0]);
  });

  test('send their events to the bus of home, which takes them from the accounts it knows', () => {
    const bus = 'arn:aws:events:eu-central-1:111111111111:event-bus/default';
    const [, rule] = ofType(home, 'AWS::Events::Rule')[0] as [string, Resource];
    for (const resources of [otherRegion, otherAccount, otherAccountAndRegion]) {
      const [, outlet] = ofType(resources, 'AWS::Events::Rule')[0] as [string, Resource];
      expect(outlet.Properties.EventPattern).toEqual(rule.Properties.EventPattern);
      expect(outlet.Properties.Targets).toMatchObject([{ Arn: bus, RoleArn: expect.anything() }]);
    }
    expect(
      ofType(home, 'AWS::Events::EventBusPolicy').map(([, { Properties }]) => Properties.Statement),
    ).toEqual([
      expect.objectContaining({
        Principal: { AWS: ['arn:aws:iam::222222222222:root'] },
        Action: 'events:PutEvents',
        Resource: bus,
        Condition: { 'ForAllValues:StringEquals': { 'events:source': 'aws.ssm' } },
      }),
    ]);
  });

  test('have the member role and the rights of servers once for an account', () => {
    // CDK moves what is too long for a role's own policy into managed ones.
    const policies = stacks.map(({ resources }) =>
      ofType(resources, 'AWS::IAM::ManagedPolicy').filter(([id]) => !id.includes('OverflowPolicy')),
    );
    expect(policies.map(({ length }) => length)).toEqual([1, 0, 1, 0]);
    const named = stacks.map(({ resources }) =>
      ofType(resources, 'AWS::IAM::Role').flatMap(([, { Properties }]) => Properties.RoleName ?? []),
    );
    expect(named).toEqual([[], [], ['PatchMember'], []]);
  });

  test('let the role be assumed by functions of home alone, and send to opted-in servers alone', () => {
    const [, role] = ofType(otherAccount, 'AWS::IAM::Role').find(
      ([, { Properties }]) => Properties.RoleName === 'PatchMember',
    ) as [string, Resource];
    expect(role.Properties.AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Action: 'sts:AssumeRole',
          Principal: { AWS: 'arn:aws:iam::111111111111:root' },
          Condition: {
            ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/quarterdeck/*' },
          },
        },
      ],
    });
    const onServers = statementsOf(otherAccount, 'MemberRole').filter((statement) =>
      resourcesOf(statement).some((resource) => String(resource).includes(':instance/*')),
    );
    const sending = onServers.filter((statement) => actionsOf(statement).includes('ssm:SendCommand'));
    expect(sending.flatMap((statement) => resourcesOf(statement)).toSorted()).toEqual([
      'arn:aws:ec2:eu-central-1:222222222222:instance/*',
      'arn:aws:ec2:us-east-1:222222222222:instance/*',
      'arn:aws:ssm:eu-central-1:222222222222:managed-instance/*',
      'arn:aws:ssm:us-east-1:222222222222:managed-instance/*',
    ]);
    expect(sending.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { 'ssm:resourceTag/quarterdeck': 'enrolled' } },
    ]);
    expect(onServers.length).toBeGreaterThan(sending.length);
    for (const { Condition } of onServers.filter((statement) => !sending.includes(statement)))
      expect(Condition).toEqual({ StringEquals: { 'aws:ResourceTag/quarterdeck': 'enrolled' } });
  });

  test('are known to the functions of home: its own Regions by right, other accounts by their role', () => {
    const dispatch = statementsOf(home, 'PatchingDispatchBatchRole');
    const on = (action: string) =>
      dispatch
        .filter((statement) => actionsOf(statement).includes(action))
        .flatMap((statement) => resourcesOf(statement).map(String));
    expect(on('ssm:SendCommand')).toContain('arn:aws:ec2:us-east-1:111111111111:instance/*');
    expect(on('ssm:SendCommand').join()).not.toContain('222222222222');
    expect(on('sts:AssumeRole')).toEqual(['arn:aws:iam::222222222222:role/PatchMember']);
    const functions = ofType(home, 'AWS::Lambda::Function');
    const [, { Properties }] = functions.find(([id]) => id.startsWith('PatchingDispatchBatch')) as [
      string,
      Resource,
    ];
    expect(JSON.stringify(Properties.Environment)).toContain('"MEMBER_ROLE_NAME":"PatchMember"');
  });

  test('let a server of another account write under its own name only, said by each bucket itself', () => {
    const policies = ofType(home, 'AWS::S3::BucketPolicy').map(
      ([, { Properties }]) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
    );
    const admitted = policies
      .flat()
      .filter(
        ({ Effect, Principal }) => Effect === 'Allow' && JSON.stringify(Principal).includes('222222222222'),
      );
    const written = admitted.filter((statement) => actionsOf(statement).includes('s3:PutObject'));
    expect(written).toHaveLength(4);
    for (const statement of written) {
      expect(JSON.stringify(statement.Resource)).toMatch(
        /(servers|backups)\/\$\{(ec2:SourceInstanceARN|aws:userid)\}\/\*/,
      );
      expect(statement.Condition).toBeDefined();
    }
    expect(JSON.stringify(written.map(({ Condition }) => Condition))).toContain(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM
      'arn:aws:ec2:*:${aws:PrincipalAccount}:instance/*',
    );
    expect(admitted).toHaveLength(5);
  });
});

describe('what a configuration adds to all', () => {
  test('every role has the boundary, every table and function the tags', () => {
    for (const { resources } of stacks)
      for (const [id, { Properties }] of ofType(resources, 'AWS::IAM::Role'))
        expect(JSON.stringify(Properties.PermissionsBoundary), id).toContain('policy/Bounds');
    for (const type of ['AWS::DynamoDB::Table', 'AWS::Lambda::Function', 'AWS::S3::Bucket'])
      for (const [id, { Properties }] of ofType(home, type))
        expect(Properties.Tags, id).toEqual(expect.arrayContaining([{ Key: 'cost-center', Value: '42' }]));
  });

  test('our functions join the network, log for as long as told, and reserve where told', () => {
    const ours = ofType(home, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('Patching'));
    for (const [id, { Properties }] of ours) {
      expect(Properties.VpcConfig, id).toEqual({
        SubnetIds: ['subnet-0a1b2c3d'],
        SecurityGroupIds: ['sg-0a1b2c3d'],
      });
      const reserved = id.startsWith('PatchingDispatchBatch') ? 20 : undefined;
      expect(Properties.ReservedConcurrentExecutions, id).toBe(reserved);
    }
    for (const [id, { Properties }] of ofType(home, 'AWS::Logs::LogGroup'))
      expect(Properties.RetentionInDays, id).toBe(90);
  });

  test('our functions may do what Lambda asks for to join a network', () => {
    const given = statementsOf(home, 'PatchingSweepRole').filter((statement) =>
      actionsOf(statement).includes('ec2:CreateNetworkInterface'),
    );
    // The part of AWSLambdaVPCAccessExecutionRole that is not about logs.
    const ofNetworks = given.flatMap(actionsOf).filter((action) => action.startsWith('ec2:'));
    expect(ofNetworks.toSorted()).toEqual([
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ]);
  });

  test('people are subscribed', () => {
    expect(ofType(home, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties)).toEqual([
      expect.objectContaining({ Protocol: 'email', Endpoint: 'ops@example.com' }),
    ]);
    expect(texts[1]).not.toContain('ops@example.com');
  });
});

describe('PatchPipeline as a library', () => {
  const stack = (env?: { account: string; region: string }) =>
    new Stack(newApp(), 'TheirStack', env ? { env } : {});
  const env = { account: '333333333333', region: 'us-east-1' };

  test('needs nothing but policies, and only scans until they say otherwise', () => {
    const pipeline = new PatchPipeline(stack(env), 'Patching', { environments: { staging: {} } });
    expect(pipeline.serverAccess.policy).toBeDefined();
    expect(Object.keys(pipeline.functions)).toContain('create-campaign');
  });

  test('works in an app that sets no feature flags', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const theirs = new Stack(app, 'TheirStack', { env });
    const pipeline = new PatchPipeline(theirs, 'Patching', { environments: { staging: {} } });
    const runtimes = Object.values(pipeline.functions).map(({ handler }) => handler.runtime.name);
    expect(new Set(runtimes)).toEqual(new Set(['nodejs24.x']));
    expect(new AwsSolutionsChecks(app).validateScope(theirs).violations).toEqual([]);
  });

  test('says that it needs an account and a Region', () => {
    expect(() => new PatchPipeline(stack(), 'Patching', { environments: { staging: {} } })).toThrow(
      'the stack of a PatchPipeline has no account and Region: give it an env',
    );
  });

  test('says what is wrong with its properties, all at once', () => {
    const make = () =>
      new PatchPipeline(stack(env), 'Patching', {
        environments: { staging: { waves: { canary: 0 } } },
        emails: ['nobody'],
      });
    expect(make).toThrow(/TheirStack\/Patching: environments\.staging\.waves\.canary/);
    expect(make).toThrow(/notifications\.emails/);
  });

  test('is there once for an account and Region', () => {
    const first = stack(env);
    const make = (region: string) =>
      new PatchPipeline(new Stack(first.node.root, `In-${region}`, { env: { ...env, region } }), 'Patching', {
        environments: { staging: {} },
      });
    new PatchPipeline(first, 'Patching', { environments: { staging: {} } });
    expect(() => make('us-east-1')).toThrow(
      'In-us-east-1/Patching is a second PatchPipeline for 333333333333/us-east-1, beside TheirStack/Patching',
    );
    expect(() => make('eu-west-1')).not.toThrow();
  });

  test('bears as many accounts as it takes, and says how many those are', () => {
    const places = (count: number) => [
      env,
      ...Array.from({ length: count - 1 }, (_, index) => ({
        account: String(400000000000 + index),
        region: env.region,
      })),
    ];
    const make = (count: number) => {
      const theirs = stack(env);
      const memberRole = 'M'.repeat(64);
      const environments = { staging: {} };
      new PatchPipeline(theirs, 'Patching', { environments, places: places(count), memberRole });
      return theirs;
    };
    const { Resources } = Template.fromStack(make(mostAccounts)).toJSON() as {
      Resources: Record<string, Resource>;
    };
    const limits = {
      'AWS::Events::EventBusPolicy': 10_240,
      'AWS::S3::BucketPolicy': 20_480,
      'AWS::IAM::ManagedPolicy': 6_144,
      'AWS::IAM::Policy': 10_240,
    };
    for (const [type, limit] of Object.entries(limits)) {
      expect(ofType(Resources, type).length, type).toBeGreaterThan(0);
      for (const [id, { Properties }] of ofType(Resources, type)) {
        const policy = Properties.PolicyDocument ?? Properties.Statement;
        expect(JSON.stringify(policy).length, id).toBeLessThan(limit);
      }
    }
    expect(() => make(mostAccounts + 1)).toThrow('places is "31 accounts": it names too many accounts');
  });

  test('does not reserve concurrency for a function that there is not', () => {
    expect(
      () =>
        new PatchPipeline(stack(env), 'Patching', {
          environments: { staging: {} },
          reservedConcurrency: { 'dispatch-batches': 5 },
        }),
    ).toThrow('reservedConcurrency names dispatch-batches, which is no function');
  });
});
