import { z } from 'zod';
import { WaitSeconds } from '../../wire/long-poll.ts';
import { route } from '../../wire/route.ts';
import { LOG_CHUNK_BYTES } from '../attempts.ts';
import type { PipelinesDeps } from '../deps.ts';
import { followLog } from '../logs.ts';
import { addFiles, cancelDrop, createDrop, findDrop, readDropLog, receiveFile, startDrop, toDrop } from './drops.ts';
import { listDrops } from './record.ts';
import { DropInput, DropPath, MAX_FILE_BYTES, StartDropInput } from './types.ts';

const DropParams = z.object({ id: z.string().min(1).max(100) });

/** A notebook and its data through the browser: announce the files, send each, start, follow. */
export const dropRoutes = (deps: PipelinesDeps) => [...fillRoutes(deps), ...followRoutes(deps)];

const fillRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'POST',
      path: '/drops',
      permission: 'deploy',
      summary: 'Announce a notebook and its data; a folder on the server’s machine will hold them',
      body: DropInput,
    },
    ({ actor, body }) => createDrop(deps, actor, body),
  ),
  route(
    {
      method: 'POST',
      path: '/drops/:id/files',
      permission: 'deploy',
      summary: 'Announce more files',
      params: DropParams,
      body: DropInput,
    },
    ({ actor, params, body }) => addFiles(deps, actor, params.id, body),
  ),
  route(
    {
      method: 'PUT',
      path: '/drops/:id/content',
      permission: 'deploy',
      summary: 'Send the bytes of one announced file',
      params: DropParams,
      query: z.object({ path: DropPath }),
      body: 'stream',
      bodyLimitBytes: MAX_FILE_BYTES,
    },
    async ({ actor, params, query, body }) => {
      await receiveFile(deps, actor, { id: params.id, path: query.path, body });
      return { path: query.path };
    },
  ),
  route(
    {
      method: 'POST',
      path: '/drops/:id/start',
      permission: 'deploy',
      summary: 'Run levain adopt and levain run in the folder, with the rights of who asks',
      params: DropParams,
      body: StartDropInput,
    },
    ({ actor, params, body }) => startDrop(deps, actor, params.id, body),
  ),
  route(
    {
      method: 'POST',
      path: '/drops/:id/cancel',
      permission: 'deploy',
      summary: 'Stop the commands of a drop',
      params: DropParams,
    },
    ({ actor, params }) => cancelDrop(deps, actor, params.id),
  ),
];

const followRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'GET',
      path: '/drops',
      permission: 'read',
      summary: 'List what was dropped, newest first',
      query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
    },
    async ({ actor, query }) => {
      const records = await listDrops(deps, actor.projectId, query.limit);
      return { items: await Promise.all(records.map((record) => toDrop(deps, record))) };
    },
  ),
  route(
    { method: 'GET', path: '/drops/:id', permission: 'read', summary: 'A drop and how far it is', params: DropParams },
    ({ actor, params }) => findDrop(deps, actor, params.id),
  ),
  route(
    {
      method: 'GET',
      path: '/drops/:id/log',
      permission: 'read',
      summary: 'A piece of what the commands say, by byte offset; with `wait` it answers when there is more',
      params: DropParams,
      query: z.object({
        offset: z.coerce.number().int().min(-LOG_CHUNK_BYTES).default(0),
        wait: WaitSeconds,
      }),
    },
    ({ actor, params, query, signal }) =>
      followLog(deps, { wait: query.wait, signal }, () =>
        readDropLog(deps, actor, { ...params, offset: query.offset }),
      ),
  ),
];
