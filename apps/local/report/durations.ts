/** Owns how long things took, and how that is written. */
import { phaseSchema } from '../../../core/phase.ts';
import type { ReportJob } from '../../../core/report.ts';

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** Seconds that the documents worked on a server, reboots included; undefined when none reported. */
export function workSeconds(job: ReportJob): number | undefined {
  const known = phaseSchema.options
    .map((phase) => job.phases[phase]?.seconds.total)
    .filter((total) => total !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, total) => sum + total, 0);
}
