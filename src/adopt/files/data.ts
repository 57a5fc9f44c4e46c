import { stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { listFiles } from './listing.ts';
import { commonEnd, isForeign, isUrl, partsOf } from './written-path.ts';

/** A read of a file as the notebook's text tells it. */
export interface WrittenRead {
  readonly cell: number;
  readonly line: number;
  readonly path: string;
}

/** A file that the run needs, and where it stands in the copy. */
export interface FoundFile {
  readonly source: string;
  /** Relative to the copy's root, with `/`. */
  readonly at: string;
  readonly isFolder: boolean;
  /** Read out of this archive, whose member it is. */
  readonly member: string | null;
}

export interface FoundData {
  readonly files: readonly FoundFile[];
  /** As written → path in the copy, where the two differ. */
  readonly redirects: Readonly<Record<string, string>>;
  readonly missing: readonly WrittenRead[];
}

export interface DataPlaces {
  /** The notebook's folder. */
  readonly beside: string;
  /** The copy's root: the notebook's folder or one above it. */
  readonly root: string;
  /** Files and folders given with `--data`. */
  readonly given: readonly string[];
}

/** Chooses one of several files that a path may mean: the first is the nearest. */
export type ChooseFile = (read: WrittenRead, files: readonly string[]) => Promise<string>;

interface Candidate {
  readonly source: string;
  readonly member: string | null;
  readonly isGiven: boolean;
}

const ARCHIVES = /\.(zip|gz|bz2|xz)$/i;

/** Leads every read to a file that is there: as written, else by the longest common end of the paths, given files first. */
export async function findData(
  reads: readonly WrittenRead[],
  places: DataPlaces,
  choose: ChooseFile,
): Promise<FoundData> {
  const candidates = await listCandidates(places);
  const files = new Map<string, FoundFile>();
  const redirects: Record<string, string> = {};
  const missing: WrittenRead[] = [];
  const seen = new Set<string>();
  for (const read of reads) {
    if (seen.has(read.path)) continue;
    seen.add(read.path);
    const found = (await asWritten(read.path, places)) ?? (await byName(read, candidates, places, choose));
    if (found === undefined) {
      missing.push(read);
      continue;
    }
    files.set(found.at, found);
    if (!isWhereWritten(read.path, found, places)) redirects[read.path] = found.at;
  }
  return onlyGiven({ files: [...files.values()], redirects, missing }, places);
}

/** Whether the kernel, which runs in the notebook's folder of the copy, meets the file without help. */
function isWhereWritten(written: string, found: FoundFile, places: DataPlaces): boolean {
  if (isForeign(written)) return false;
  const from = relative(places.root, places.beside);
  return toSlash(join(from, written)) === found.at;
}

async function asWritten(written: string, places: DataPlaces): Promise<FoundFile | undefined> {
  if (isUrl(written) || written.includes('\0')) return undefined;
  const path = written.startsWith('file://') ? decodeURI(written.slice(7)) : written;
  for (const source of isAbsolute(path) ? [path] : [resolve(places.beside, path), resolve(places.root, path)]) {
    const facts = await stat(source).catch(() => undefined);
    if (facts?.isFile()) return { source, at: placeOf(source, places), isFolder: false, member: null };
    // Whole folders are only taken from inside the project: `/` and one's home are folders too.
    if (facts?.isDirectory() && isInside(source, places.root))
      return { source, at: placeOf(source, places), isFolder: true, member: null };
  }
  return undefined;
}

async function byName(
  read: WrittenRead,
  candidates: readonly Candidate[],
  places: DataPlaces,
  choose: ChooseFile,
): Promise<FoundFile | undefined> {
  const wanted = partsOf(read.path);
  const ranked = candidates
    .map((candidate) => ({ candidate, common: commonEnd(wanted, namesOf(candidate, wanted.at(-1) ?? '')) }))
    .filter(({ common }) => common > 0);
  const pool = ranked.some(({ candidate }) => candidate.isGiven)
    ? ranked.filter(({ candidate }) => candidate.isGiven)
    : ranked;
  const longest = Math.max(0, ...pool.map(({ common }) => common));
  const all = pool.filter(({ common }) => common === longest).map(({ candidate }) => candidate);
  // A file of its own comes before the same file in an archive.
  const plain = all.filter((candidate) => candidate.member === null);
  const best = plain.length > 0 ? plain : all;
  if (best.length === 0) return undefined;
  const paths = best.map(({ source }) => source);
  const chosen = best.length === 1 ? paths[0]! : await choose(read, paths);
  const { source, member } = best.find((candidate) => candidate.source === chosen) ?? best[0]!;
  const at = member === null ? placeOf(source, places) : join(dirname(placeOf(source, places)), basename(member));
  return { source, at: toSlash(at), isFolder: false, member };
}

/** `data.csv` is also met inside `data.csv.zip`, `data.zip` (as its member) and `data.csv.gz` (unpacked). */
function namesOf({ source, member }: Candidate, wanted: string): string[] {
  if (member === null) return partsOf(source);
  return [...partsOf(dirname(source)), wanted.toLowerCase() === member.toLowerCase() ? wanted : member];
}

async function listCandidates(places: DataPlaces): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  const add = async (source: string, isGiven: boolean) => {
    found.push({ source, member: null, isGiven });
    if (!ARCHIVES.test(source)) return;
    for (const member of membersOf(source)) found.push({ source, member, isGiven });
  };
  for (const given of places.given) {
    const facts = await stat(given).catch(() => undefined);
    if (facts?.isFile()) await add(given, true);
    else if (facts?.isDirectory())
      for (const file of (await listFiles(given)).files) await add(join(given, file.path), true);
  }
  const beside = await listFiles(places.beside);
  for (const file of beside.files) await add(join(places.beside, file.path), false);
  if (places.root === places.beside) return found;
  for (const file of (await listFiles(places.root)).files) {
    const source = join(places.root, file.path);
    if (!isInside(source, places.beside)) await add(source, false);
  }
  return found;
}

/** What an archive may hold by its name: its own name without the ending, as a table. */
function membersOf(source: string): string[] {
  const name = basename(source).replace(ARCHIVES, '');
  return extname(name) === '' ? [`${name}.csv`, `${name}.txt`] : [name];
}

/** One path that nothing was found for, one file given that nothing asked for: they mean each other. */
function onlyGiven(found: FoundData, places: DataPlaces): FoundData {
  const used = new Set(found.files.map(({ source }) => source));
  const unused = places.given.filter((path) => !used.has(path));
  const [read, ...others] = found.missing;
  const [source, ...more] = unused;
  if (read === undefined || source === undefined || others.length > 0 || more.length > 0) return found;
  if (extname(source) === '') return found;
  const at = placeOf(source, places);
  return {
    files: [...found.files, { source, at, isFolder: false, member: null }],
    redirects: { ...found.redirects, [read.path]: at },
    missing: [],
  };
}

/** Where a file stands in the copy: at its own place, or beside the notebook where it lies outside the project. */
function placeOf(source: string, places: DataPlaces): string {
  if (isInside(source, places.root)) return toSlash(relative(places.root, source));
  return toSlash(join(relative(places.root, places.beside), basename(source)));
}

export const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

const toSlash = (path: string): string => path.split(sep).join('/');
