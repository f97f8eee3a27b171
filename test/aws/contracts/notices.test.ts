import { afterAll, vi } from 'vitest';
import type { Notice } from '../../../core/ports.ts';
import { notices } from '../../../lambdas/compose.ts';
import { describeNotices } from '../../contracts/notices.contract.ts';
import { composeAt } from '../composed.ts';
import { subscribe } from '../received-notices.ts';
import { stackOnMoto } from '../stack-on-moto.ts';

afterAll(() => vi.unstubAllEnvs());

describeNotices("SNS of moto, by a queue subscribed to the template's topic", async () => {
  const { moto, stack } = await stackOnMoto();
  const noticeTopic = stack.outputs.NoticeTopic ?? '';
  const home = composeAt(moto.endpoint, stack);
  const people = await subscribe(stack.api, moto.endpoint, stack.region, noticeTopic);
  return {
    notices: notices({ home, environment: { noticeTopic } }),
    async arrived() {
      return (await people.received()).map(({ subject, text, attributes }) => ({
        id: attributes.noticeId ?? '',
        kind: attributes.kind as Notice['kind'],
        campaignId: attributes.campaignId ?? '',
        subject,
        text,
      }));
    },
    close: () => moto.close(),
  };
});
