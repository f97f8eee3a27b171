import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReportData } from '../../../../apps/local/report/report-data.ts';
import { reportPage } from '../../../../apps/local/report/report-page.ts';
import { reportJobSchema } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';

const page = reportPage(sampleReport());

/** Tags with the names of their attributes, in order: what a browser would build, without the texts. */
function skeleton(html: string): string[] {
  const markup = html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '<$1></$1>');
  return [...markup.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, '=""'));
}

/** The text that a reader sees, spaces made one. */
function textOf(html: string): string {
  return html
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');
}

/** The sample with one text in every place that a server, a package or a person can fill. */
function filledWith(text: string): ReportData {
  const sample = sampleReport();
  const reason = { code: 'some-code', detail: text.slice(0, 400) };
  const jobs = sample.jobs.map((job) => ({
    ...job,
    server: { ...job.server, name: text, owner: text, zone: text, tags: { [text]: text } },
    reasons: job.reasons.map(() => reason),
    packages: job.packages.map((change) => ({
      ...change,
      name: text,
      architecture: text,
      from: text,
      to: text,
      planned: text,
    })),
    phases: Object.fromEntries(
      Object.entries(job.phases).map(([name, phase]) => [
        name,
        phase && {
          ...phase,
          status: text,
          warnings: [reason],
          unproven: reason,
          object: phase.object && { ...phase.object, key: text },
          system: { id: text, version: text, kernel: text },
          seconds: { [text]: 1, total: 2 },
        },
      ]),
    ),
  }));
  const { report } = sample;
  return {
    ...sample,
    jobs,
    report: {
      ...report,
      reason,
      state: 'stopped',
      approval: report.approval && { ...report.approval, by: text, reason: text },
      rollbacks: [
        {
          number: 1,
          by: text,
          reason: text,
          to: 'packages',
          dryRun: true,
          at: report.closedAt,
          servers: 1,
          endedAt: report.closedAt,
          counts: { [text]: 1 },
        },
      ],
      campaign: {
        ...report.campaign,
        requestedBy: text,
        stop: { by: text, at: report.closedAt, reason: text },
        window: { ...report.campaign.window, zone: text },
      },
    },
    logs: new Map(jobs.map((job) => [job.server.id, [{ phase: 'patch' as const, text }]])),
    hosts: { ...sample.hosts, reason: text },
    timings: { [text]: 1 },
  };
}

describe('what servers say', () => {
  const hostile = fc.oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.constantFrom(
      '</pre></details><script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='alert(1)",
      '<!--',
      ']]></style><script>',
      '&lt;script&gt;',
      '</title><svg/onload=alert(1)>',
      '\u202egpj.exe',
    ),
  );

  test('can become neither tag nor attribute', () => {
    const harmless = skeleton(reportPage(filledWith('x')));
    expect(harmless.length).toBeGreaterThan(300);
    fc.assert(
      fc.property(hostile, (text) => {
        // A letter in front: an empty or blank text is left out rightly.
        expect(skeleton(reportPage(filledWith(`x${text}`)))).toEqual(harmless);
      }),
      { numRuns: 60 },
    );
  });

  test('is shown as it is', () => {
    expect(textOf(reportPage(filledWith('a <b> & "c"')))).toContain('a &lt;b&gt; & &quot;c&quot;');
  });

  test('can not turn the direction of writing, nor hide in controls', () => {
    const filled = reportPage(filledWith('safe\u202egpj.exe\u0000\u001b[2J\u2066'));
    for (const character of '\u202e\u2066\u0000\u001b') expect(filled).not.toContain(character);
    expect(filled).toContain('safe\ufffdgpj.exe\u2400\u241b[2J\ufffd');
  });
});

describe('the page', () => {
  test('needs nothing but itself', () => {
    const links = [...page.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map(([, target]) => target ?? '');
    expect(links.filter((target) => !target.startsWith('#') && target !== 'report.json')).toEqual([]);
    expect(page).not.toMatch(/@import|url\(|https?:\/\//);
  });

  test('allows only its own style and its own script, by their hashes', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    const hash = (element: string) => {
      const content = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(page)?.[1] ?? '';
      return createHash('sha256').update(content).digest('base64');
    };
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash('style')}'; script-src 'sha256-${hash('script')}'; base-uri 'none'; form-action 'none'`,
    );
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/ style="| on[a-z]+="/);
  });

  test('closes every element that it opens, in order', () => {
    const isVoid = /^<(meta|input|br|rect|!doctype)\b/;
    const open: string[] = [];
    for (const tag of skeleton(page)) {
      if (isVoid.test(tag)) continue;
      const name = /^<\/?([a-z0-9]+)/.exec(tag)?.[1] ?? '';
      if (!tag.startsWith('</')) open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test('uses no id twice, and links only to ids that are there', () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
  });

  test('says first what happened, and is green only where all went well', () => {
    expect(page).toMatch(/class="verdict bad"[\s\S]*<h1>3 of 8 servers are patched and verified; 1 failed/);
    expect(textOf(page)).toContain('Completed, with problems');
    const good = reportPage(sampleReport(['web-1', 'web-2']));
    expect(good).toMatch(/class="verdict good"[\s\S]*<h1>All 2 servers are patched and verified\.<\/h1>/);
  });

  test('lists what needs a person first', () => {
    const names = [...page.matchAll(/<th scope="row"><a href="[^"]*">([^<]*)</g)].map(([, name]) => name);
    expect(names).toEqual([
      'mail-1',
      'edge-7',
      'build-3',
      'ledger-1',
      'web-1',
      'shop-db-primary.eu-central-1.internal',
      'web-2',
      'cache-1',
    ]);
    const open = [
      ...page.matchAll(/<details class="server" id="[^"]*" data-server="[^"]*" open>\n<summary><h3>([^<]*)/g),
    ];
    expect(open.map(([, name]) => name)).toEqual(['mail-1', 'edge-7', 'build-3', 'ledger-1']);
  });

  test('shows what is unknown as unknown', () => {
    const row = /edge-7<\/a>[\s\S]*?<\/tbody>/.exec(page)?.[0] ?? '';
    expect(row.match(/<td class="fact unknown">unknown<\/td>/g)).toHaveLength(5);
    expect(row).not.toMatch(/>(yes|no)</);
  });

  test('says who approved which hash and when, in the window’s zone and in UTC', () => {
    const { report } = sampleReport();
    const text = textOf(page);
    expect(text).toContain('Approved by bob');
    expect(text).toContain('Sat 21 Nov 2026, 21:41');
    expect(text).toContain(`root hash ${report.approval?.root}`);
    expect(text).toContain('Sat 21 Nov 2026, 23:00 – Sun 22 Nov, 05:00');
    expect(text).toContain('Europe/Berlin, UTC+01:00');
    expect(text).toContain('Sat 21 Nov 2026, 22:00 – Sun 22 Nov, 04:00 UTC');
  });

  test('says so where the approval is of other plans than the sealed ones', () => {
    const data = sampleReport();
    const approval = data.report.approval && { ...data.report.approval, root: '0'.repeat(64) };
    expect(textOf(reportPage({ ...data, report: { ...data.report, approval } }))).toContain(
      'This is not the hash that was sealed.',
    );
  });

  test('tells packages that came as planned from those that did not', () => {
    const mail = /<h3>mail-1<[\s\S]*?<\/details>/.exec(page)?.[0] ?? '';
    expect(textOf(mail)).toContain('harbor-httpd amd64 2.4.57-1 2.4.57-1 2.4.57-2 unchanged');
    expect(textOf(mail)).toContain(
      'tide-tables all 2026a-0+deb13u1 2026c-0+deb13u1 2026b-0+deb13u1 other version',
    );
    expect(textOf(mail)).toContain(
      'libharbor2 amd64 security 2.4.1-3 2.4.1-3+deb13u1 2.4.1-3+deb13u1 as planned',
    );
    expect(textOf(mail)).toContain('libbuoy-data all not installed 0.9.5-1');
  });

  test('gives the hashes of plans and results, boot ids, warnings and newer versions', () => {
    for (const job of sampleReport().jobs) {
      for (const phase of Object.values(job.phases)) expect(page).toContain(phase?.object?.sha256);
      if (job.plan) expect(page).toContain(job.plan.sha256);
    }
    const text = textOf(page);
    expect(text).toContain('6f1d3c0e-9a51-4f0e-8f0b-2f6a0e2f9a10 → b7a1c2d3-0f5e-4d4c-9c3b-1a2b3c4d5e6f');
    expect(text).toContain('unattended-upgrades is active');
    expect(text).toContain('1 package of the plan has a newer version by now');
  });

  test('keeps the end of a long log, and says where the rest is', () => {
    const data = sampleReport(['web-1']);
    const [id = ''] = data.logs.keys();
    const text = `${'beginning\n'.repeat(5000)}the end\n`;
    const long = reportPage({ ...data, logs: new Map([[id, [{ phase: 'patch' as const, text }]]]) });
    expect(long).toContain('the end\n</pre>');
    expect(long.length).toBeLessThan(page.length + 30_000);
    expect(textOf(long)).toMatch(/The first \d+ characters are in report\.json alone/);
    expect(textOf(long)).toContain('5001 lines');
  });

  test('labels the price for 1,000 servers as extrapolated', () => {
    const text = textOf(page);
    expect(text).toContain('Total $0.001440 $0.1800');
    expect(text).toContain('The last column is extrapolated: the price of 8 servers in proportion');
  });

  test.each([
    ['sandbox', 'booted', 'on real package managers'],
    ['sandbox', 'rootless', 'without systemd'],
    ['debian', 'booted', 'Debian’s own updates'],
    ['shim', 'shim', 'proves nothing about real package managers'],
  ] as const)('is honest about %s hosts, %s', (kind, how, words) => {
    const text = textOf(reportPage({ ...sampleReport(), hosts: { kind, how, reason: 'asked for' } }));
    expect(text).toContain(words);
    expect(text).toContain('nothing here was asked of AWS');
  });

  test('is made even where nothing ever began', () => {
    const data = sampleReport(['ledger-1']);
    const { campaign } = data.report;
    const empty = {
      ...data,
      jobs: data.jobs.map((job) => reportJobSchema.parse({ ...job, reasons: [] })),
      report: {
        ...data.report,
        approval: null,
        state: 'missed' as const,
        campaign: { ...campaign, seal: null },
      },
      logs: new Map(),
      timings: {},
    };
    const text = textOf(reportPage(empty));
    expect(text).toContain('The window was missed: 1 server left as it was');
    expect(text).toContain('No plans were sealed.');
    expect(text).toContain('no reason was given');
  });
});

describe('colours', () => {
  const styles = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
  const [light = '', dark = ''] = styles.split('@media (prefers-color-scheme: dark)');
  const values = (block: string) =>
    Object.fromEntries(
      [...block.slice(0, 900).matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );

  test.each([
    ['light', values(light)],
    ['dark', values(dark)],
  ])('have the contrast of WCAG AA where it is %s', (_scheme, colours) => {
    const tones = ['good', 'calm', 'busy', 'watch', 'bad'];
    const pairs = [
      ...['ink', 'quiet', 'link', ...tones].map((text) => [text, 'paper']),
      ...tones.map((tone) => [tone, `${tone}-tint`]),
      ['ink', 'calm-tint'],
    ];
    for (const [text = '', ground = ''] of pairs) {
      expect(contrast(colours[text], colours[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  /** https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
  function contrast(a = '', b = ''): number {
    const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
    return (lighter + 0.05) / (darker + 0.05);
  }

  function luminance(hex: string): number {
    const channel = (at: number) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  }
});
