/** Owns the configurations whose templates other people's tools look at: the example, and all that a file can say. */
import type { Configuration } from '../../../core/configuration.ts';
import { configurationFrom, exampleConfiguration } from '../../support/synthesise.ts';
import { motosOwnAccount } from '../moto.ts';

/** Two accounts and two Regions, and whatever else campaigns run with. */
export const placesText = `
schema: 1
name: Patching
home: { account: '${motosOwnAccount}', region: eu-central-1 }
places:
  - { account: '${motosOwnAccount}', region: eu-central-1 }
  - { account: '${motosOwnAccount}', region: us-east-1 }
  - { account: '222222222222', region: eu-central-1 }
  - { account: '222222222222', region: us-east-1 }
memberRole: PatchMember
hybridRoleId: AROA1234567890ABCDEFG
optInTag: { key: patching, value: 'yes' }
serverTags: { environment: stage, owner: team, timeZone: zone, hostGroup: group }
defaultTimeZone: Europe/Berlin
environments:
  staging: {}
  production:
    mode: all
    approval: { required: true }
    waves: { canary: 1, percentages: [100], soakSeconds: 900 }
notifications: { emails: [ops@example.com, oncall@example.com] }
`;

/** Every key of the file. */
export const everythingText = `${placesText}
permissionsBoundary: Bounds
tags: { cost-center: '42' }
network: { vpc: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d], securityGroups: [sg-0a1b2c3d] }
logRetentionDays: 90
calendar: { firstMonth: october }
backups: { lockDays: 30, copyRegion: eu-west-1 }
reservedConcurrency: { dispatch-batch: 20 }
`;

/** By a name for people. */
export const configurations: Readonly<Record<string, () => Configuration>> = {
  example: exampleConfiguration,
  everything: () => configurationFrom(everythingText),
  'another partition': () =>
    configurationFrom(`
schema: 1
home: { account: '333333333333', region: us-gov-west-1 }
places:
  - { account: '333333333333', region: us-gov-west-1 }
  - { account: '444444444444', region: us-gov-east-1 }
environments: { production: {} }
permissionsBoundary: arn:aws-us-gov:iam::333333333333:policy/Bounds
`),
};
