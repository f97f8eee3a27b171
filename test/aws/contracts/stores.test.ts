import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, vi } from 'vitest';
import { objects, records } from '../../../lambdas/compose.ts';
import { backups } from '../../../lambdas/compose-backups.ts';
import { describeBackups } from '../../contracts/backups.contract.ts';
import { describeObjects } from '../../contracts/objects.contract.ts';
import { describeRecords } from '../../contracts/records.contract.ts';
import { composeAt } from '../composed.ts';
import { stackOnMoto } from '../stack-on-moto.ts';

afterAll(() => vi.unstubAllEnvs());

describeRecords(
  "DynamoDB of moto, in the template's table",
  async () => {
    const { moto, stack } = await stackOnMoto();
    const home = composeAt(moto.endpoint, stack);
    const environment = { stateTable: stack.outputs.StateTable ?? '' };
    return { records: records({ home, environment }), close: () => moto.close() };
  },
  {
    gaps: {
      'empty names in maps': 'moto gives back what no client reads; nothing of ours has an empty name',
      'items just below the limit': 'moto takes 405,000 bytes, "to be safe"; DynamoDB takes 409,600',
    },
  },
);

describeObjects(
  "S3 of moto, in the template's bucket",
  async () => {
    const { moto, stack } = await stackOnMoto();
    const home = composeAt(moto.endpoint, stack);
    const environment = {
      campaignBucket: stack.outputs.CampaignBucket ?? '',
      campaignBucketRegion: stack.region,
    };
    return { objects: objects({ home, environment }), close: () => moto.close() };
  },
  { withoutControl: 'the HTTP server under moto ends a path at a null character' },
);

describeBackups("S3 of moto, in the template's backup bucket", async () => {
  const { moto, stack } = await stackOnMoto();
  const home = composeAt(moto.endpoint, stack);
  const Bucket = stack.outputs.BackupBucket ?? '';
  const servers = new S3Client({ ...moto.client, forcePathStyle: true });
  return {
    backups: backups({ home, environment: { backupBucket: Bucket } }),
    put: async (Key, Body) => void (await servers.send(new PutObjectCommand({ Bucket, Key, Body }))),
    close: () => moto.close(),
  };
});
