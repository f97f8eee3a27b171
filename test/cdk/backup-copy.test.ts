/** Holds backups that are under a lock and have a copy in a second Region. */
import { describe, expect, test } from 'vitest';
import { checkConfiguration } from '../../core/configuration.ts';
import { configurationFrom, ofType, type Resource, synthesise } from '../support/synthesise.ts';

const text = (backups: string) => `
schema: 1
home: { account: '111111111111', region: eu-central-1 }
environments: { production: {} }
backups: ${backups}
`;
const { stacks, findings } = synthesise(configurationFrom(text('{ lockDays: 30, copyRegion: eu-west-1 }')));

const bucketOf = (end: 'home' | 'copy') => {
  const all = stacks.flatMap(({ resources }) => ofType(resources, 'AWS::S3::Bucket'));
  const [, { Properties }] = all.find(([id]) =>
    id.startsWith(end === 'home' ? 'PatchingBackupsBucket' : 'Bucket'),
  ) as [string, Resource];
  return Properties;
};

describe('backups with a lock and a copy', () => {
  test('break no rule', () => {
    expect(stacks).toHaveLength(2);
    expect(findings).toEqual([]);
  });

  test('are locked at both ends, for as long as told', () => {
    for (const end of ['home', 'copy'] as const) {
      expect(bucketOf(end)).toMatchObject({
        ObjectLockEnabled: true,
        ObjectLockConfiguration: { Rule: { DefaultRetention: { Days: 30, Mode: 'GOVERNANCE' } } },
        VersioningConfiguration: { Status: 'Enabled' },
      });
    }
  });

  test('keep what was altered for a month after the monthly look that finds it', () => {
    for (const end of ['home', 'copy'] as const)
      expect(JSON.stringify(bucketOf(end).LifecycleConfiguration)).toContain('"NoncurrentDays":60');
  });

  test('go to the bucket and the key of the other stack by the names that it gives them', () => {
    const { Rules } = bucketOf('home').ReplicationConfiguration as { Rules: unknown[] };
    expect(JSON.stringify(Rules)).toContain(':s3:::quarterdeck-backup-copy-111111111111-eu-west-1');
    expect(JSON.stringify(Rules)).toContain(':kms:eu-west-1:111111111111:alias/quarterdeck-backup-copy');
    expect(bucketOf('copy').BucketName).toBe('quarterdeck-backup-copy-111111111111-eu-west-1');
    const aliases = stacks.flatMap(({ resources }) => ofType(resources, 'AWS::KMS::Alias'));
    expect(aliases.map(([, { Properties }]) => Properties.AliasName)).toContain(
      'alias/quarterdeck-backup-copy',
    );
  });

  test.each([
    ['{ copyRegion: eu-central-1 }', 'is the Region of home'],
    ['{ copyRegion: cn-north-1 }', 'is in another partition than home'],
    ['{ lockDays: -1 }', 'lockDays'],
  ])('of %s are refused', (backups, message) => {
    const refused = checkConfiguration({
      schema: 1,
      home: { account: '111111111111', region: 'eu-central-1' },
      environments: { production: {} },
      backups: Object.fromEntries([
        backups.includes('lockDays') ? ['lockDays', -1] : ['copyRegion', backups.slice(14, -2)],
      ]),
    });
    expect(JSON.stringify(refused)).toContain(message);
  });
});
