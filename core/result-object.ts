/** Owns the result object: the one file that a server writes to the campaign bucket per phase, and where servers may write. */
import { partitionOf } from './server.ts';

/**
 * Each PUT of each server counts in what a campaign costs, so plan, versions and log travel as one gzipped text.
 * Unzipped it is
 *
 *     quarterdeck-result 1
 *     section <name> <bytes>
 *     …that many bytes, then a line feed…
 *
 * `core/result.ts` says what each section holds, as tab-separated lines.
 */
export function parseResultObject(content: Uint8Array): Map<string, string> {
  const bytes = Buffer.from(content);
  const sections = new Map<string, string>();
  let offset = 0;
  const line = () => {
    const end = bytes.indexOf(0x0a, offset);
    if (end < 0) throw new Error(`result object ends inside a header at byte ${offset}`);
    const text = bytes.toString('utf8', offset, end);
    offset = end + 1;
    return text;
  };
  const first = line();
  if (first !== 'quarterdeck-result 1')
    throw new Error(`result object starts with ${JSON.stringify(first.slice(0, 40))}`);
  while (offset < bytes.length) {
    const header = /^section ([a-z-]{1,32}) (\d{1,10})$/.exec(line());
    if (!header) throw new Error(`result object has no section header before byte ${offset}`);
    const [, name, digits] = header as unknown as [string, string, string];
    const end = offset + Number(digits);
    if (bytes[end] !== 0x0a) throw new Error(`section ${name} is cut short, or longer than its header says`);
    if (sections.has(name)) throw new Error(`section ${name} is there twice`);
    sections.set(name, bytes.toString('utf8', offset, end));
    offset = end + 1;
  }
  return sections;
}

/**
 * For so many days after it was written the bucket keeps a result. A campaign ends within 90 (its state machine's limit),
 * and its report reads the results once more.
 */
export const resultDays = 120;

interface NamedServer {
  readonly id: string;
  readonly place: { readonly account: string; readonly region: string };
}

/**
 * The folder in the campaign bucket that a server may write to. Its name equals the `ec2:SourceInstanceARN` that AWS
 * puts into requests made with an instance role, so the role's policy can name it as a policy variable. Hybrid nodes
 * have no such key; for them it is the `aws:userid` of their role session.
 */
export function serverPrefix(server: NamedServer, hybridRoleId?: string): string {
  return `servers/${serverFolder(server, hybridRoleId)}`;
}

/** The same in the backup bucket. */
export function backupPrefix(server: NamedServer, hybridRoleId?: string): string {
  return `backups/${serverFolder(server, hybridRoleId)}`;
}

function serverFolder({ id, place }: NamedServer, hybridRoleId = 'hybrid'): string {
  return id.startsWith('mi-')
    ? `${hybridRoleId}:${id}`
    : `arn:${partitionOf(place.region)}:ec2:${place.region}:${place.account}:instance/${id}`;
}
