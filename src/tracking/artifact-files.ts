import { AppError } from '../kernel/errors.ts';
import { cellAt } from '../kernel/frame.ts';
import { type Analytics, fileList } from '../ports/analytics.ts';
import type { Actor, RawResponse } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { openArtifact } from './artifacts.ts';
import { parseRange } from './byte-range.ts';
import { getLoggedModel } from './logged-models.ts';
import { getRun } from './runs.ts';
import type { ArtifactRoot, TrackingDeps } from './types.ts';

type FileDeps = Pick<TrackingDeps, 'db' | 'content'>;

/**
 * What a run wrote may hold scripts. Opened as a page it gets an origin of its own, runs nothing, asks nobody, and only our own
 * pages may frame it.
 */
const SANDBOX =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'";

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  pdf: 'application/pdf',
};

/** A run, or a model that one logged: each has files of its own. */
export interface ArtifactOwner {
  readonly kind: 'run' | 'model';
  readonly id: string;
}

/** Where the files are; the root is null where that is not with us. Throws `not_found`. */
export async function artifactRootOf(
  deps: Pick<TrackingDeps, 'db'>,
  actor: Actor,
  owner: ArtifactOwner,
): Promise<{ readonly root: ArtifactRoot | null; readonly elsewhere: string }> {
  const { artifactUri } =
    owner.kind === 'run' ? await getRun(deps, actor, owner.id) : await getLoggedModel(deps, actor, owner.id);
  return { root: rootOf(artifactUri), elsewhere: artifactUri };
}

/** One file of a run or model, whole or the range that the headers name. Throws `not_found`. */
export async function sendArtifact(
  deps: FileDeps,
  actor: Actor,
  file: {
    readonly owner: ArtifactOwner;
    readonly path: string;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  },
): Promise<RawResponse> {
  const { artifact, open } = await openFile(deps, actor, file.owner, file.path);
  const etag = `"${artifact.digest}"`;
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'content-type': TYPES[/[^./]+$/.exec(file.path)?.[0]?.toLowerCase() ?? ''] ?? 'application/octet-stream',
    'content-security-policy': SANDBOX,
    'x-frame-options': 'SAMEORIGIN',
  };
  if (file.headers['if-none-match'] === etag) return { raw: true, status: 304, headers, body: '' };
  const wanted = file.headers['range'];
  const range = parseRange(typeof wanted === 'string' ? wanted : undefined, artifact.sizeBytes);
  if (range === 'unsatisfiable') {
    return { raw: true, status: 416, headers: { 'content-range': `bytes */${artifact.sizeBytes}` }, body: '' };
  }
  if (range === null) {
    return { raw: true, headers: { ...headers, 'content-length': String(artifact.sizeBytes) }, body: await open() };
  }
  const span = `bytes ${range.start}-${range.end - 1}/${artifact.sizeBytes}`;
  const length = String(range.end - range.start);
  return {
    raw: true,
    status: 206,
    headers: { ...headers, 'content-range': span, 'content-length': length },
    body: await open(range),
  };
}

/** Files larger than this are not copied here to show their first rows. */
const MAX_TABLE_BYTES = 2 * 2 ** 30;

export interface ArtifactRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  readonly total: number;
}

/** The first rows of a Parquet file of a run. Throws `not_found`, `too_large`, or `invalid` where the file is no Parquet. */
export async function readArtifactRows(
  deps: FileDeps & { readonly analytics?: Analytics | undefined },
  actor: Actor,
  file: { readonly owner: ArtifactOwner; readonly path: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<ArtifactRows> {
  if (!deps.analytics) throw new AppError('unavailable', 'This server has no reader for tables; download the file');
  const { artifact } = await openFile(deps, actor, file.owner, file.path);
  if (artifact.sizeBytes > MAX_TABLE_BYTES) {
    throw new AppError(
      'too_large',
      `The file has ${artifact.sizeBytes} bytes; at most ${MAX_TABLE_BYTES} are opened here`,
    );
  }
  const source = `read_parquet(${fileList([await deps.content.localPath(artifact.digest)])})`;
  const limits = { signal: file.signal, timeoutMs: 20_000 };
  const counted = await deps.analytics.query(`select count(*) as n from ${source}`, [], limits);
  const { columns, rowCount } = await deps.analytics.query(
    `select * from (select columns(*)::varchar from ${source} limit ${file.limit})`,
    [],
    limits,
  );
  return {
    columns: columns.map(({ name }) => name),
    rows: Array.from({ length: rowCount }, (_, row) => columns.map(({ values }) => cellAt(values, row))),
    total: Number(cellAt(counted.columns[0]!.values, 0)),
  };
}

async function openFile(deps: FileDeps, actor: Actor, owner: ArtifactOwner, path: string) {
  const { root, elsewhere } = await artifactRootOf(deps, actor, owner);
  if (root !== null) return openArtifact(deps, actor.projectId, root, path);
  throw new AppError('not_found', `These artifacts are at ${elsewhere}, not with this server`);
}
