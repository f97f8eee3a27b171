/** What AWS would have charged for the campaign, on the report page. */
import { type Html, html } from '../html.ts';
import type { ReportData } from '../report-data.ts';
import { count } from '../verdict-words.ts';

/** As many decimals as the amount needs to be seen: what a small campaign costs is a fraction of a cent. */
export function usd(amount: number, scale = amount): string {
  return `$${amount.toFixed(scale === 0 || scale >= 100 ? 2 : scale >= 0.01 ? 4 : 6)}`;
}

export function costSection({ report, cost }: ReportData): Html {
  const { total, lines } = cost.cost;
  const servers = report.campaign.serverCount;
  const thousand = 1000 / Math.max(1, servers);
  const per = (amount: number) => usd(amount * thousand, total * thousand);
  const rows = lines.map(
    (
      line,
    ) => html`<tr><th scope="row">${line.service}</th><td>${line.unit}</td><td class="number">${number(line.count)}</td><td class="number">$${Number((line.usd * 1e6).toFixed(4))}</td><td class="number">${usd(line.total, total)}</td><td class="number quiet">${per(line.total)}</td></tr>
`,
  );
  const calls = Object.entries(cost.calls);
  return html`<section id="cost">
<h2>What AWS would have charged</h2>
<p class="note">List prices of us-east-1, without free tiers or discounts, for the calls that this run counted: ${count(servers, 'server')}, ${count(cost.units['state-transitions'] ?? 0, 'state transition')}. Snapshots, storage and data transfer are not in it.</p>
<div class="scroll" role="region" aria-label="Costs" tabindex="0">
<table class="cost"><thead><tr><th scope="col">Service</th><th scope="col">Unit</th><th scope="col" class="number">Counted</th><th scope="col" class="number">Per million</th><th scope="col" class="number">List price</th><th scope="col" class="number">× 1,000 servers</th></tr></thead>
<tbody>${rows}</tbody>
<tfoot><tr><th scope="row">Total</th><td></td><td></td><td></td><td class="number"><b>${usd(total)}</b></td><td class="number quiet">${per(total)}</td></tr></tfoot></table>
</div>
<p class="note">The last column is extrapolated: the price of ${count(servers, 'server')} in proportion. Up to 50 servers share one command and its transitions, so a small campaign costs more per server than a large one.</p>
${
  calls.length > 0 &&
  html`<details class="calls"><summary>Calls by name <span class="quiet">${calls.length} kinds</span></summary>
<ul>${calls.map(([name, times]) => html`<li><code>${name}</code> <span class="quiet">${number(times)}</span></li>`)}</ul></details>`
}
</section>`;
}

function number(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(2);
}
