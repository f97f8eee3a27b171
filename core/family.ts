/** Owns which family a platform is of, by what people and agents call it. */
import type { Family } from './server.ts';

/** From the start of the name; what agents say of themselves, and short forms that people write into lists. */
const platforms: readonly (readonly [prefix: RegExp, family: Family])[] = [
  [/^(debian|ubuntu)/i, 'debian'],
  [/^(red ?hat|rhel|centos|rocky|alma|oracle linux|fedora)/i, 'rhel'],
  [/^(amazon linux|al2(023)?\b)/i, 'amazon'],
  [/^(sles|suse|opensuse)/i, 'suse'],
  [/^arch/i, 'arch'],
];

export function familyOf(platform: string): Family | undefined {
  return platforms.find(([prefix]) => prefix.test(platform.trim()))?.[1];
}
