import type { Readable } from 'node:stream';
import {
  deleteArtifacts,
  getRun,
  listArtifactFolder,
  openArtifact,
  parseArtifactPath,
  parseRange,
  putArtifact,
  rootOf,
  type TrackingDeps,
} from '../../tracking/index.ts';
import type { Permission, RawResponse, Route, RouteContext } from '../../wire/route.ts';
import { ifAny } from './entities.ts';
import { invalid, type Message, requiredText, runIdOf, textOf } from './message.ts';
import { toErrorAnswer } from './rpc.ts';

interface ArtifactCall {
  readonly projectId: string;
  readonly path: string;
  readonly context: RouteContext<Message, Message, Readable>;
}

const PREFIXES = ['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts'];

/** The artifact proxy: bytes in and out under `mlflow-artifacts:/`, streamed both ways. */
export const artifactRoutes = (deps: TrackingDeps): readonly Route[] => [
  ...PREFIXES.flatMap((prefix) => [
    artifactRoute('GET', `${prefix}/artifacts`, 'read', 'list a folder', (call) => list(deps, call)),
    artifactRoute('GET', `${prefix}/artifacts/*`, 'read', 'download a file', (call) => download(deps, call)),
    artifactRoute('PUT', `${prefix}/artifacts/*`, 'write', 'upload a file', (call) => upload(deps, call)),
    artifactRoute('DELETE', `${prefix}/artifacts/*`, 'write', 'delete a file or folder', (call) => remove(deps, call)),
    ...['create', 'complete', 'abort'].map((verb) =>
      artifactRoute('POST', `${prefix}/mpu/${verb}/*`, 'write', 'parts of an upload (not supported)', multipart),
    ),
    artifactRoute('GET', `${prefix}/presigned/*`, 'read', 'addresses of a store (not supported)', presigned),
  ]),
  artifactRoute('GET', '/ajax-api/2.0/mlflow/get-artifact', 'read', 'download a file of a run', (call) =>
    downloadOfRun(deps, call),
  ),
];

function artifactRoute(
  method: Route['method'],
  path: string,
  permission: Permission,
  summary: string,
  handler: (call: ArtifactCall) => Promise<unknown>,
): Route {
  return {
    method,
    path,
    permission,
    summary: `MLflow artifacts: ${summary}`,
    ...(method === 'GET' ? {} : { body: 'stream' as const }),
    hint: ((context: RouteContext<Message, Message, Readable>) => hintOf(context)) as unknown as NonNullable<
      Route['hint']
    >,
    handler: (async (context: RouteContext<Message, Message, Readable>) => {
      try {
        const { projectId } = context.actor;
        return await handler({ projectId, path: parseArtifactPath(String(context.params?.['*'] ?? '')), context });
      } catch (error) {
        return toErrorAnswer(error);
      }
    }) as unknown as Route['handler'],
  };
}

/** `1/<run>/artifacts/…` is a file of a run. */
function hintOf({ params }: RouteContext<Message, Message, Readable>): string {
  const [, runId] = /^[^/]+\/([^/]{1,64})\/artifacts\//.exec(String(params?.['*'] ?? '')) ?? [];
  return runId === undefined ? 'runs' : `runs/${runId}`;
}

/** Base names only, unlike `artifacts/list`. */
async function list(deps: TrackingDeps, { projectId, context }: ArtifactCall): Promise<unknown> {
  const entries = await listArtifactFolder(deps, projectId, parseArtifactPath(textOf(context.query, 'path') ?? ''));
  return ifAny(
    'files',
    entries.map(({ name, isFolder, sizeBytes }) => ({
      path: name,
      is_dir: isFolder,
      ...(isFolder ? {} : { file_size: sizeBytes }),
    })),
  );
}

async function upload(deps: TrackingDeps, { projectId, path, context }: ArtifactCall): Promise<unknown> {
  await putArtifact(deps, projectId, '', path, context.body);
  return {};
}

async function download(deps: TrackingDeps, { projectId, path, context }: ArtifactCall): Promise<RawResponse> {
  const { artifact, open } = await openArtifact(deps, projectId, '', path);
  const etag = `"${artifact.digest}"`;
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    'content-type': mimeOf(path),
    'content-disposition': dispositionOf(path),
    'x-content-type-options': 'nosniff',
  };
  if (context.headers['if-none-match'] === etag) return { raw: true, status: 304, headers, body: '' };
  const condition = context.headers['if-range'];
  const wanted = condition === undefined || condition === etag ? context.headers['range'] : undefined;
  const range = parseRange(typeof wanted === 'string' ? wanted : undefined, artifact.sizeBytes);
  if (range === 'unsatisfiable') {
    return { raw: true, status: 416, headers: { 'content-range': `bytes */${artifact.sizeBytes}` }, body: '' };
  }
  if (range === null) {
    return { raw: true, headers: { ...headers, 'content-length': String(artifact.sizeBytes) }, body: await open() };
  }
  const span = `bytes ${range.start}-${range.end - 1}/${artifact.sizeBytes}`;
  return {
    raw: true,
    status: 206,
    headers: { ...headers, 'content-range': span, 'content-length': String(range.end - range.start) },
    body: await open(range),
  };
}

async function downloadOfRun(deps: TrackingDeps, call: ArtifactCall): Promise<RawResponse> {
  const { actor, query } = call.context;
  const run = await getRun(deps, actor, runIdOf(query));
  const root = rootOf(run.artifactUri);
  if (root === null)
    throw invalid(`The artifacts of this run are at ${run.artifactUri}, where only the client can read them`);
  return download(deps, { ...call, path: parseArtifactPath(`${root}/${requiredText(query, 'path')}`) });
}

async function remove(deps: TrackingDeps, { projectId, path }: ArtifactCall): Promise<unknown> {
  await deleteArtifacts(deps, projectId, path);
  return {};
}

/** The client reads this very sentence as "send the file whole". */
async function multipart(): Promise<RawResponse> {
  return notImplemented('Multipart upload is not supported for the current artifact repository');
}

async function presigned(): Promise<RawResponse> {
  return notImplemented('Presigned download is not supported for the current artifact repository');
}

const notImplemented = (message: string): RawResponse => ({
  raw: true,
  status: 501,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error_code: 'NOT_IMPLEMENTED', message }),
});

function dispositionOf(path: string): string {
  const name = path.split('/').at(-1)!;
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return plain === name
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

const MIME: Readonly<Record<string, string>> = {
  txt: 'text/plain',
  log: 'text/plain',
  md: 'text/plain',
  yaml: 'text/plain',
  yml: 'text/plain',
  MLmodel: 'text/plain',
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  svg: 'image/svg+xml',
  gif: 'image/gif',
  pdf: 'application/pdf',
};

const mimeOf = (path: string): string => MIME[/[^./]+$/.exec(path)?.[0] ?? ''] ?? 'application/octet-stream';
