/** Owns how events of Run Command come home from other accounts and Regions. */
import { Stack } from 'aws-cdk-lib';
import { CfnEventBusPolicy, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as BusTarget } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { commandEventPattern } from './command-events.ts';

/**
 * Lets other accounts put events of Run Command on the bus of this one. An event makes a function look at a command,
 * and is believed in nothing, so a forged one costs a look.
 */
export class EventInlet extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { memberAccounts }: { readonly memberAccounts: readonly string[] },
  ) {
    super(scope, id);
    const { partition, region, account } = Stack.of(this);
    const statementId = 'QuarterdeckServers';
    // One statement for all: the policy of a bus has 10 KB.
    new CfnEventBusPolicy(this, 'FromMembers', {
      statementId,
      statement: {
        Sid: statementId,
        Effect: 'Allow',
        Principal: { AWS: memberAccounts.map((member) => `arn:${partition}:iam::${member}:root`) },
        Action: 'events:PutEvents',
        Resource: `arn:${partition}:events:${region}:${account}:event-bus/default`,
        // A key of many values, since one request may bring many events: compared otherwise, it need not match.
        Condition: { 'ForAllValues:StringEquals': { 'events:source': commandEventPattern.source[0] } },
      },
    });
  }
}

/** Sends events home. What it loses, the sweeper finds. */
export class EventOutlet extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { home }: { readonly home: { readonly account: string; readonly region: string } },
  ) {
    super(scope, id);
    const { partition } = Stack.of(this);
    const bus = EventBus.fromEventBusArn(
      this,
      'Home',
      `arn:${partition}:events:${home.region}:${home.account}:event-bus/default`,
    );
    new Rule(this, 'Rule', {
      description: 'Commands of Quarterdeck that have ended on a server, sent home',
      eventPattern: commandEventPattern,
      targets: [new BusTarget(bus)],
    });
  }
}
