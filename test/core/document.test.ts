import { describe, expect, test } from 'vitest';
import { commandSeconds, documentName, documentParameters, executionSeconds } from '../../core/document.ts';
import { phaseSchema } from '../../core/phase.ts';
import { campaignOf, policyOf } from '../support/samples.ts';

const buckets = {
  objects: { bucket: 'campaigns-111111111111', region: 'eu-central-1' },
  backups: { bucket: 'backups-111111111111' },
};
const order = { key: 'orders/abc.txt', sha256: 'abc' };

describe('a command', () => {
  test('names the document of its family and phase', () => {
    expect(documentName('debian', 'prepare')).toBe('Quarterdeck-Debian-Prepare');
  });

  test.each(phaseSchema.options)('of %s is killed no sooner than the host has used its own time', (phase) => {
    const campaign = campaignOf();
    const { TimeBudget, ExecutionTimeout } = documentParameters(campaign, phase, buckets, order);
    expect(Number(ExecutionTimeout)).toBe(executionSeconds(campaign, phase));
    expect(Number(TimeBudget)).toBeLessThanOrEqual(Number(ExecutionTimeout));
    // Delivery, the work step, and the minute of the summary step.
    expect(commandSeconds(campaign, phase)).toBe(300 + Number(ExecutionTimeout) + 60);
  });

  test('gives a patch time for its transaction, its reboot and for being killed', () => {
    const seconds = (reboot: string) =>
      executionSeconds(campaignOf({ policy: policyOf({ reboot }) }), 'patch');
    expect(seconds('if-needed')).toBe(3600 + 300 + 60 + 300 + 60);
    expect(seconds('never')).toBe(3600 + 300 + 60);
    expect(seconds('separate-window')).toBe(3600 + 300 + 60);
  });

  test('tells hybrid nodes the role by which IAM knows them, where there is one', () => {
    const hybridRoleId = 'AROAEXAMPLE0123456789';
    const told = documentParameters(campaignOf({ hybridRoleId }), 'prepare', buckets, order);
    expect(told.HybridPrefix).toBe(hybridRoleId);
    expect(documentParameters(campaignOf(), 'prepare', buckets, order)).not.toHaveProperty('HybridPrefix');
  });

  test('says all parameters as text, and none of them is a moment or a token', () => {
    const parameters = documentParameters(campaignOf(), 'patch', buckets, order);
    for (const value of Object.values(parameters)) expect(value).toMatch(/^[A-Za-z0-9./-]+$/);
    expect(parameters).toMatchObject({ OrderKey: order.key, OrderSha256: order.sha256, Reboot: 'if-needed' });
    expect(JSON.stringify(parameters)).not.toMatch(/\d{4}-\d\d-\d\dT|token/i);
  });

  test('gives bare metal longer to restart', () => {
    const told = documentParameters(campaignOf({ metal: true }), 'patch', buckets, order);
    expect(told).toMatchObject({ RebootReserve: '1200', TimeBudget: String(3600 + 300 + 60 + 1200) });
  });

  test('lets no patch restart what has a window of its own for it', () => {
    const campaign = campaignOf({ policy: policyOf({ reboot: 'separate-window' }) });
    expect(documentParameters(campaign, 'patch', buckets, order)).toMatchObject({
      Reboot: 'never',
      RebootReserve: '0',
    });
  });

  test('asks for a backup before a patch as the policy has it, and has the pass before look for what makes one', () => {
    const campaign = campaignOf({ policy: policyOf({ backup: { maxBytes: 64 * 1024 ** 2 } }) });
    for (const phase of ['prepare', 'patch'] as const)
      expect(documentParameters(campaign, phase, buckets, order)).toMatchObject({
        Backup: 'required',
        BackupBucket: 'backups-111111111111',
        BackupMebibytes: '64',
        BackupTimeout: '300',
      });
    for (const phase of ['verify', 'rollback'] as const)
      expect(documentParameters(campaign, phase, buckets, order)).not.toHaveProperty('Backup');
  });

  test.each([
    ['none', 'packages'],
    ['packages', 'packages'],
    ['configuration', 'configuration'],
    ['kernel', 'kernel'],
  ])('of a rollback, by a policy of %s, goes as far as %s', (automatic, rung) => {
    const campaign = campaignOf({ policy: policyOf({ rollback: { automatic } }) });
    const told = documentParameters(campaign, 'rollback', buckets, order);
    expect(told).toMatchObject({ RollbackTo: rung, DryRun: 'no' });
  });

  test('has time for the restart of the kernel before, whatever a patch may do', () => {
    const told = (automatic: string) => {
      const campaign = campaignOf({ policy: policyOf({ reboot: 'never', rollback: { automatic } }) });
      return documentParameters(campaign, 'rollback', buckets, order).RebootReserve;
    };
    expect([told('configuration'), told('kernel')]).toEqual(['0', '300']);
  });
});
