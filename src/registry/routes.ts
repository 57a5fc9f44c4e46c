import { z } from 'zod';
import { asFile, type RawResponse, route } from '../wire/route.ts';
import { approvalSentence, approve, reject } from './approvals.ts';
import { setAlias } from './champion.ts';
import { listFiles, openFile } from './files.ts';
import { resume, setHold } from './holds.ts';
import type { RegistryDeps } from './types.ts';
import { getVersion, listModels, listVersions, profileOf } from './versions.ts';
import { toModelWire, toVersionWire } from './wire.ts';

const model = z.object({ model: z.string().min(1).max(255) });
/** A number, `v7`, an alias or `latest`. */
const version = model.extend({ version: z.string().regex(/^[\w-]{1,255}$/) });
const toRef = (params: z.output<typeof version>) => ({
  model: params.model,
  version: /^v?\d+$/.test(params.version) ? Number(params.version.replace(/^v/, '')) : params.version,
});
const decision = z.object({ reason: z.string().max(2000).optional() });

export function registryRoutes(deps: RegistryDeps) {
  return [...readRoutes(deps), ...fileRoutes(deps), ...decisionRoutes(deps)];
}

function readRoutes(deps: RegistryDeps) {
  return [
    route({ method: 'GET', path: '/models', permission: 'read', summary: 'Lists registered models' }, async (c) => ({
      items: (await listModels(deps, c.actor)).map(toModelWire),
    })),
    route(
      {
        method: 'GET',
        path: '/models/:model/versions',
        permission: 'read',
        summary: 'Lists the versions of a model, newest first',
        params: model,
        query: z.object({
          limit: z.coerce.number().int().min(1).max(200).optional(),
          below: z.coerce.number().int().optional(),
        }),
      },
      async ({ actor, params, query }) => {
        const { limit, below } = query;
        const page = await listVersions(deps, actor, {
          model: params.model,
          ...(limit !== undefined && { limit }),
          ...(below !== undefined && { below }),
        });
        return { ...page, items: page.items.map(toVersionWire) };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/versions/:version',
        permission: 'read',
        summary: 'One version: signature, parity, gate, approval, lineage',
        params: version,
      },
      async ({ actor, params }) => toVersionWire(await getVersion(deps, actor, toRef(params))),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/versions/:version/profile',
        permission: 'read',
        summary: 'The reference that the monitor compares live traffic of this version with',
        params: version,
      },
      async ({ actor, params }) => ({ profile: await profileOf(deps, actor.projectId, toRef(params)) }),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/versions/:version/approval',
        permission: 'read',
        summary: 'What approving this version means, in one sentence',
        params: version,
      },
      async ({ actor, params }) => ({ sentence: approvalSentence(await getVersion(deps, actor, toRef(params))) }),
    ),
  ];
}

function fileRoutes(deps: RegistryDeps) {
  return [
    route(
      {
        method: 'GET',
        path: '/models/:model/versions/:version/files',
        permission: 'read',
        summary: 'The files of a version with their sizes, and the flavours that its MLmodel file names',
        params: version,
      },
      ({ actor, params }) => listFiles(deps, actor, toRef(params)),
    ),
    route(
      {
        method: 'GET',
        path: '/models/:model/versions/:version/files/*',
        permission: 'read',
        summary: 'One file of a version',
        params: version.extend({ '*': z.string().min(1).max(1_024) }),
      },
      async ({ actor, params }): Promise<RawResponse> => {
        const { file, body } = await openFile(deps, actor, { ...toRef(params), path: params['*'] });
        return { raw: true, headers: asFile(file.path, file.sizeBytes), body };
      },
    ),
  ];
}

function decisionRoutes(deps: RegistryDeps) {
  return [
    route(
      {
        method: 'POST',
        path: '/models/:model/versions/:version/approve',
        permission: 'approve',
        summary: 'Approves a version that waits',
        params: version,
        body: decision,
      },
      async ({ actor, params, body }) =>
        toVersionWire(await approve(deps, actor, { ...toRef(params), reason: body.reason })),
    ),
    route(
      {
        method: 'POST',
        path: '/models/:model/versions/:version/reject',
        permission: 'approve',
        summary: 'Rejects a version',
        params: version,
        body: decision,
      },
      async ({ actor, params, body }) =>
        toVersionWire(await reject(deps, actor, { ...toRef(params), reason: body.reason })),
    ),
    route(
      {
        method: 'PUT',
        path: '/models/:model/aliases/:alias',
        permission: 'write',
        summary: 'Points an alias at a version',
        params: model.extend({
          alias: z.string().refine((a) => a !== 'champion', 'the champion is set by a promotion'),
        }),
        body: z.object({ version: z.number().int().positive() }),
      },
      async ({ actor, params, body }) => {
        await setAlias(deps, actor, { ...params, version: body.version });
        return { ...params, version: body.version };
      },
    ),
    route(
      {
        method: 'POST',
        path: '/models/:model/hold',
        permission: 'deploy',
        summary: 'Holds a model: no retraining, no promotion',
        params: model,
        body: z.object({ reason: z.string().min(1).max(2000) }),
      },
      async ({ actor, params, body }) => setHold(deps, actor, { model: params.model, reason: body.reason }),
    ),
    route(
      {
        method: 'POST',
        path: '/models/:model/resume',
        permission: 'deploy',
        summary: 'Lifts the hold',
        params: model,
      },
      async ({ actor, params }) => resume(deps, actor, params),
    ),
  ];
}
