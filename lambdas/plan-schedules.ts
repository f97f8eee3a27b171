/** Makes schedules and campaigns follow the plan: each day, when a quarter begins, and when somebody asks for it. */
import { reconcilePlan, reconcilePlanInput } from '../core/use-cases/reconcile-plan.ts';
import { launching, schedules } from './compose-schedules.ts';
import { settings } from './compose-settings.ts';
import { createHandler } from './handler.ts';

const mostNamed = 50;

export const handler = createHandler({
  name: 'plan-schedules',
  compose: (world) => ({ ...launching(world), schedules: schedules(world), settings: settings(world) }),
  async run(ports, event, now, logger) {
    const input = reconcilePlanInput.parse(event);
    const { quarters, changes, launches, failed, feeds } = await reconcilePlan(
      ports,
      await ports.settings(),
      input,
      now,
    );
    for (const launch of launches) if (!launch.started) logger.warn('not started', { ...launch });
    if (failed.length > 0) {
      const [first] = failed;
      throw new Error(
        `${failed.length} campaigns could not be started, ${first?.campaignId}: ${first?.error}`,
      );
    }
    return {
      quarters: quarters.map(({ plan, leftOut }) => ({
        quarter: plan.quarter.id,
        campaigns: plan.campaigns.length,
        windows: plan.windows.length,
        conflicts: plan.conflicts.length,
        // Planned, and not patched as things are.
        leftOut: { count: leftOut.length, first: leftOut.slice(0, mostNamed) },
      })),
      created: changes.create.length,
      moved: changes.move.length,
      deleted: changes.delete.length,
      kept: changes.keep.length,
      launches: launches.slice(0, mostNamed),
      ...feeds,
    };
  },
});
