import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../kernel/errors.ts';
import { parseProjectFile, suggestion } from '../project-file/index.ts';
import { route } from '../wire/route.ts';
import { diffVersions } from './diff.ts';
import { diffRows } from './row-diff.ts';
import { MAX_ROWS_READ, readRows } from './rows.ts';
import { syncDataset } from './sync.ts';
import { DATASET_NAME, type DataDeps } from './types.ts';
import { getVersion, listDatasets, listVersions, type VersionRef } from './versions.ts';
import { toDatasetWire, toSummaryWire, toVersionWire } from './wire.ts';

const MAX_FILE_CHARACTERS = 512 * 1024;

const byName = z.object({ name: DATASET_NAME });
const byVersion = byName.extend({ version: z.string().regex(/^(v?[1-9]\d{0,8}|latest)$/, 'write v3, 3 or latest') });
/** `churn@v3`, `churn` (its latest) or an id. */
const reference = z.string().min(1).max(200);

export function dataRoutes(deps: DataDeps) {
  return [
    route(
      { method: 'GET', path: '/datasets', permission: 'read', summary: 'Lists datasets with their newest versions' },
      async (c) => ({
        items: (await listDatasets(deps, c.actor)).map(toDatasetWire),
      }),
    ),
    route(
      {
        method: 'GET',
        path: '/datasets/:name/versions',
        permission: 'read',
        summary: 'Lists the versions of a dataset, newest first',
        params: byName,
        query: z.object({ limit: z.coerce.number().int().min(1).max(200).optional(), after: z.string().optional() }),
      },
      async ({ actor, params, query }) => {
        const page = await listVersions(deps, actor, { dataset: params.name, ...query });
        return { ...page, items: page.items.map(toSummaryWire) };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/datasets/:name/versions/:version',
        permission: 'read',
        summary: 'Shows a version: files, schema, profile and contract report',
        params: byVersion,
      },
      async ({ actor, params }) =>
        toVersionWire(await getVersion(deps, actor, { dataset: params.name, version: toNumber(params.version) })),
    ),
    route(
      {
        method: 'GET',
        path: '/datasets/:name/versions/:version/rows',
        permission: 'read',
        summary: 'Reads rows of a version; offset 0 is its first row',
        params: byVersion,
        query: z.object({
          offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
          limit: z.coerce.number().int().min(1).max(MAX_ROWS_READ).default(1),
        }),
      },
      ({ actor, params, query }) =>
        readRows(deps, actor, { dataset: params.name, version: toNumber(params.version) }, query),
    ),
    route(
      {
        method: 'GET',
        path: '/data-diff',
        permission: 'read',
        summary: 'Compares two dataset versions: files, schema, rows and column statistics',
        query: z.object({ from: reference, to: reference }),
      },
      async ({ actor, query }) =>
        diffVersions(deps, actor, { from: parseVersionRef(query.from), to: parseVersionRef(query.to) }),
    ),
    route(
      {
        method: 'GET',
        path: '/data-diff/rows',
        permission: 'read',
        summary: 'Compares the rows of two dataset versions: added, removed, changed, with samples',
        query: z.object({
          from: reference,
          to: reference,
          /** Columns that name a row, as a JSON list of texts; default: all values. */
          key: z.string().max(10_000).default('[]').transform(toKey),
        }),
      },
      async ({ actor, query }) =>
        diffRows(deps, actor, { from: parseVersionRef(query.from), to: parseVersionRef(query.to), key: query.key }),
    ),
    syncRoute(deps),
  ];
}

const syncRoute = (deps: DataDeps) =>
  route(
    {
      method: 'POST',
      path: '/datasets/:name/sync',
      permission: 'write',
      summary: 'Looks at the source now: makes a version where its files are new, and checks the contract',
      params: byName,
      body: z.object({ text: z.string().max(MAX_FILE_CHARACTERS), folder: z.string().min(1).max(4096) }),
    },
    async ({ actor, params, body }) => {
      if (!isAbsolute(body.folder))
        throw new AppError('invalid', `The folder "${body.folder}" is not absolute; send the project's full path`);
      const { data } = parseProjectFile(body.text, join(body.folder, 'levain.yaml'));
      const section = Object.hasOwn(data, params.name) ? data[params.name] : undefined;
      if (!section)
        throw new AppError(
          'not_found',
          `levain.yaml has no dataset "${params.name}"${suggestion(params.name, Object.keys(data))}`,
        );
      const { version, created } = await syncDataset(deps, actor, { name: params.name, section, folder: body.folder });
      return { created, version: toVersionWire(version) };
    },
  );

/** `["id"]`; names may hold whatever a list's separator could be. */
function toKey(text: string, context: z.RefinementCtx): readonly string[] {
  try {
    return z.array(z.string().min(1)).max(20).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'write key as a JSON list of columns, such as ["id"]' });
    return z.NEVER;
  }
}

const toNumber = (text: string): number | 'latest' => (text === 'latest' ? text : Number(text.replace(/^v/, '')));

/** `churn@v3`, `churn@latest`, `churn`, or an id. */
export function parseVersionRef(text: string): VersionRef {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) return { id: text };
  const match = /^([^@]{1,100})(?:@(?:v?([1-9]\d{0,8})|latest))?$/.exec(text);
  if (!match)
    throw new AppError('invalid', `"${text}" is not a dataset version; write churn, churn@v3 or churn@latest`);
  return { dataset: match[1]!, version: match[2] === undefined ? 'latest' : Number(match[2]) };
}
