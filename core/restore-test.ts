/** Owns what a restore has to show: every file that the server listed, as it listed it, and the same packages. */
import type { RestoredArchive, RestoredFile } from './ports.ts';

/** In each archive, beside what it backs up. */
export const packedManifest = 'manifest.tsv';

/** What a server told in its result object when it made the archive; undefined where that can not be read. */
export interface ToldByServer {
  /** A line for each file or link: path, `f` or `l`, SHA-256 or the link's target, `mode:owner:group`. */
  readonly files: string | undefined;
  /** The list of packages, as it is in the archive. */
  readonly manifest: string | undefined;
}

export interface RestoreFindings {
  /** Files and links that were compared. */
  readonly files: number;
  readonly packages: number;
  /** What is not as it was, in words; empty when all of it is. */
  readonly differences: readonly string[];
  /** What was not compared, in words. */
  readonly note?: string;
}

/** A backup may outlive what its server told of it. Then it is what the server made by its hash, and comes back whole. */
export function countRestore({ files, texts }: RestoredArchive): RestoreFindings {
  const packed = texts.get(packedManifest);
  return {
    files: files.filter(({ type }) => type === 'file' || type === 'link').length,
    packages: rows(packed).length,
    differences: packed === undefined ? [`${packedManifest} is not there`] : [],
    note: 'it came back whole, and its hash is the one that the server told; the list of its files is not kept so long',
  };
}

/** Owners are on the record and not compared, since a restore test is no root. */
export function compareRestore({ files, texts }: RestoredArchive, told: ToldByServer): RestoreFindings {
  const differences: string[] = [];
  const lines = rows(told.files);
  if (lines.length === 0) differences.push('the server listed no files, or its list can not be read');
  const restored = new Map(files.map((file) => [file.path, file]));
  for (const [path = '', type, value, attributes = ''] of lines) {
    const difference = differenceOf(restored.get(path.replace(/^\/+/, '')), type, value, attributes);
    if (difference !== undefined) differences.push(`${path} ${difference}`);
  }
  const packed = texts.get(packedManifest);
  if (told.manifest === undefined) differences.push('the list of packages of the server can not be read');
  else if (packed !== told.manifest)
    differences.push(`${packedManifest} is not the list of packages that the server told`);
  return { files: lines.length, packages: rows(packed).length, differences };
}

function differenceOf(
  file: RestoredFile | undefined,
  type: string | undefined,
  value: string | undefined,
  attributes: string,
): string | undefined {
  if (file === undefined) return 'is not there';
  if (type === 'l') return file.type === 'link' && file.target === value ? undefined : 'is another link';
  if (file.type !== 'file') return `is no file but ${file.type}`;
  if (file.sha256 !== value) return 'has another content';
  const mode = Number.parseInt(attributes.split(':')[0] ?? '', 8) & 0o777;
  return Number.parseInt(file.mode, 8) === mode ? undefined : `has mode ${file.mode}`;
}

function rows(text = ''): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}
