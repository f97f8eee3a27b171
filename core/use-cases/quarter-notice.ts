/** Owns what people are told when a quarter begins: what is planned for it, and what is not. */
import type { LeftOut } from '../calendar/campaign-server.ts';
import type { QuarterPlan } from '../calendar/quarter-plan.ts';
import type { Notice } from '../ports.ts';

const mostNamed = 20;

export function quarterNotice({
  plan,
  leftOut,
}: {
  readonly plan: QuarterPlan;
  readonly leftOut: readonly LeftOut[];
}): Notice {
  const { quarter, windows, campaigns, conflicts } = plan;
  const planned = new Set(windows.map(({ server }) => server)).size;
  const list = (title: string, lines: readonly string[]) => {
    if (lines.length === 0) return '';
    const more = lines.length > mostNamed ? [`  and ${lines.length - mostNamed} more`] : [];
    return `\n${title}\n${[...lines.slice(0, mostNamed), ...more].join('\n')}\n`;
  };
  return {
    id: `${quarter.id.toLowerCase()}-planned`,
    kind: 'quarter-planned',
    campaignId: null,
    subject: `Patching in ${quarter.id}: ${planned} servers in ${campaigns.length} campaigns, ${conflicts.length} conflicts`,
    text:
      `${quarter.id} (${quarter.firstDay} to ${quarter.lastDay}): ${planned} servers have ${windows.length} windows in ${campaigns.length} campaigns.\n` +
      list(
        'Conflicts, to be mended:',
        conflicts.map(({ server, message }) => `  ${server}: ${message}`),
      ) +
      list(
        'Planned, and not patched as things are:',
        leftOut.map(({ server, why }) => `  ${server} ${why}`),
      ),
  };
}
