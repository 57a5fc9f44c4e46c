import type { Readable } from 'node:stream';
import { z } from 'zod';
import { AppError } from '../kernel/errors.ts';
import { longPoll, WaitSeconds } from '../wire/long-poll.ts';
import { asFile, type RawResponse, route } from '../wire/route.ts';
import { fileAdopted } from './adopted.ts';
import { appliedFile, appliedText, applyProject, listApplied, runFile } from './applied.ts';
import { LOG_CHUNK_BYTES } from './attempts.ts';
import { datasetReaders, datasetUses } from './dataset-uses.ts';
import type { PipelinesDeps } from './deps.ts';
import { dropRoutes } from './drops/routes.ts';
import { followLog, listAttempts, readStepLog, searchStepLog, streamStepLog } from './logs.ts';
import { cancelRun, getRun, getRunDetail, listRuns, startRun } from './runs.ts';
import { MAX_SNAPSHOT_BYTES, missingContents } from './snapshots.ts';
import { diffSources, getSource, openSourceFile } from './sources.ts';
import { listTriggers } from './trigger-list.ts';
import { AdoptedInput, ApplyInput, StartRunInput } from './types.ts';
import { whyStep } from './why.ts';
import { toWireDetail, toWireRun } from './wire.ts';

const MANIFEST_BYTES = 64 * 2 ** 20;
const RunParams = z.object({ id: z.string().min(4).max(100) });
const StepParams = RunParams.extend({ step: z.string().min(1).max(200) });
const NameParams = z.object({ name: z.string().min(1).max(100) });
const Digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Applied files, snapshots, runs with their steps and logs. */
export function pipelinesRoutes(deps: PipelinesDeps) {
  return [...fileRoutes(deps), ...sourceRoutes(deps), ...runRoutes(deps), ...stepRoutes(deps), ...dropRoutes(deps)];
}

const fileRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'POST',
      path: '/apply',
      permission: 'deploy',
      summary: 'Apply a project file and its snapshot',
      body: ApplyInput,
      bodyLimitBytes: MANIFEST_BYTES,
    },
    ({ actor, body }) => applyProject(deps, actor, body),
  ),
  route(
    {
      method: 'POST',
      path: '/snapshots/missing',
      permission: 'write',
      summary: 'Which contents the server lacks',
      body: z.object({ digests: z.array(Digest).max(200_000) }),
      bodyLimitBytes: MANIFEST_BYTES,
    },
    async ({ body }) => ({ missing: await missingContents(deps, body.digests) }),
  ),
  route(
    {
      method: 'PUT',
      path: '/snapshots/content/:digest',
      permission: 'write',
      summary: 'Upload one content',
      params: z.object({ digest: Digest }),
      body: 'stream',
      bodyLimitBytes: MAX_SNAPSHOT_BYTES,
    },
    ({ params, body }) => uploadContent(deps, params.digest, body),
  ),
  route(
    { method: 'GET', path: '/pipelines', permission: 'read', summary: 'List the applied pipelines' },
    async ({ actor }) => ({
      items: (await listApplied(deps, actor.projectId)).map(
        ({ pipeline, folder, digest, sourceDigest, appliedAt, file }) => ({
          pipeline,
          folder,
          digest,
          sourceDigest,
          appliedAt: new Date(appliedAt).toISOString(),
          steps: Object.keys(file.steps),
          triggers: file.triggers,
        }),
      ),
    }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipelines/:name',
      permission: 'read',
      summary: 'The applied file of a pipeline',
      params: NameParams,
    },
    async ({ actor, params }) => {
      const applied = await appliedFile(deps, actor.projectId, params.name);
      if (!applied)
        throw new AppError('not_found', `The pipeline "${params.name}" was never applied`, { hint: 'levain apply' });
      const text = (await appliedText(deps, actor.projectId, params.name)) ?? '';
      return { ...applied, appliedAt: new Date(applied.appliedAt).toISOString(), text };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/pipelines/:name/triggers',
      permission: 'read',
      summary: 'The triggers of a pipeline: when they are due, and what came of their last events',
      params: NameParams,
    },
    ({ actor, params }) => listTriggers(deps, actor.projectId, params.name),
  ),
  route(
    {
      method: 'GET',
      path: '/dataset-readers',
      permission: 'read',
      summary: 'Who reads which dataset: applied files and models, of all datasets',
    },
    async ({ actor }) => ({ items: await datasetReaders(deps, actor) }),
  ),
  route(
    {
      method: 'GET',
      path: '/datasets/:name/uses',
      permission: 'read',
      summary: 'Who reads a dataset: applied files, runs, model versions',
      params: NameParams,
    },
    ({ actor, params }) => datasetUses(deps, actor, params.name),
  ),
];

const sourceRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'GET',
      path: '/snapshots/:digest',
      permission: 'read',
      summary: 'The code that a run saw: files, and which of them is the lock',
      params: z.object({ digest: Digest }),
    },
    ({ actor, params }) => getSource(deps, actor, params.digest),
  ),
  route(
    {
      method: 'GET',
      path: '/snapshots/:digest/files/*',
      permission: 'read',
      summary: 'One file of a snapshot',
      params: z.object({ digest: Digest, '*': z.string().min(1).max(1_024) }),
    },
    async ({ actor, params }): Promise<RawResponse> => {
      const { sizeBytes, body } = await openSourceFile(deps, actor, { digest: params.digest, path: params['*'] });
      return { raw: true, headers: asFile(params['*'], sizeBytes), body };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/source-diff',
      permission: 'read',
      summary: 'What differs between two snapshots, file by file and line by line',
      query: z.object({ from: Digest, to: Digest }),
    },
    ({ actor, query }) => diffSources(deps, actor, query),
  ),
];

const runRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'POST',
      path: '/pipelines/:name/runs',
      permission: 'write',
      summary: 'Start a run',
      params: NameParams,
      body: StartRunInput,
      bodyLimitBytes: MANIFEST_BYTES,
    },
    async ({ actor, params, body }) => toWireRun(await startRun(deps, actor, { ...body, pipeline: params.name })),
  ),
  route(
    {
      method: 'POST',
      path: '/pipelines/:name/adopted',
      permission: 'write',
      summary: 'File a step that levain adopt ran, so that the next run finds it cached',
      params: NameParams,
      body: AdoptedInput,
      bodyLimitBytes: MANIFEST_BYTES,
    },
    ({ actor, params, body }) => fileAdopted(deps, actor, { ...body, pipeline: params.name }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs',
      permission: 'read',
      summary: 'List runs, newest first',
      query: z.object({
        pipeline: z.string().max(100).optional(),
        limit: z.coerce.number().int().min(1).max(200).default(20),
        after: z.string().max(500).optional(),
      }),
    },
    async ({ actor, query }) => {
      const page = await listRuns(deps, actor.projectId, query);
      return { ...page, items: page.items.map(toWireRun) };
    },
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id',
      permission: 'read',
      summary: 'A run with its steps; with `since` and `wait` it answers when something changed',
      params: RunParams,
      query: z.object({ since: z.string().max(100).optional(), wait: WaitSeconds }),
    },
    ({ actor, params, query, signal }) =>
      longPoll({
        clock: deps.clock,
        waitSeconds: query.wait,
        signal,
        read: async () => toWireDetail(deps, await getRunDetail(deps, actor.projectId, params.id)),
        isNews: ({ stamp }) => stamp !== query.since,
      }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/file',
      permission: 'read',
      summary: 'The levain.yaml that a run was made from, and where the applied one differs',
      params: RunParams,
    },
    async ({ actor, params }) => runFile(deps, await getRun(deps, actor.projectId, params.id)),
  ),
  route(
    {
      method: 'POST',
      path: '/pipeline-runs/:id/cancel',
      permission: 'write',
      summary: 'Cancel a run',
      params: RunParams,
    },
    async ({ actor, params }) => toWireRun(await cancelRun(deps, actor.projectId, params.id)),
  ),
];

const stepRoutes = (deps: PipelinesDeps) => [
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/steps/:step/log',
      permission: 'read',
      summary:
        "A piece of a step's log by byte offset (negative: from the end); with `wait` it answers when there is more",
      params: StepParams,
      query: z.object({
        offset: z.coerce.number().int().min(-LOG_CHUNK_BYTES).default(0),
        length: z.coerce.number().int().min(1).max(LOG_CHUNK_BYTES).optional(),
        attempt: z.coerce.number().int().min(0).optional(),
        wait: WaitSeconds,
      }),
    },
    ({ actor, params, query, signal }) =>
      followLog(deps, { wait: query.wait, signal }, () => readStepLog(deps, actor.projectId, { ...params, ...query })),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/steps/:step/log/search',
      permission: 'read',
      summary: "Lines of a step's log that hold a text, with their byte offsets",
      params: StepParams,
      query: z.object({
        text: z.string().min(1).max(200),
        offset: z.coerce.number().int().min(0).default(0),
        attempt: z.coerce.number().int().min(0).optional(),
      }),
    },
    ({ actor, params, query }) => searchStepLog(deps, actor.projectId, { ...params, ...query }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/steps/:step/log/file',
      permission: 'read',
      summary: "The whole log of a step's attempt, as text",
      params: StepParams,
      query: z.object({ attempt: z.coerce.number().int().min(0).optional() }),
    },
    async ({ actor, params, query }): Promise<RawResponse> => ({
      raw: true,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'content-disposition': `attachment; filename="${params.step.replace(/[^\w.-]+/g, '-')}.log"`,
      },
      body: await streamStepLog(deps, actor.projectId, { ...params, ...query }),
    }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/steps/:step/attempts',
      permission: 'read',
      summary: 'Every start of a step: when, how it ended, and how long its log is',
      params: StepParams,
    },
    async ({ actor, params }) => ({
      items: await listAttempts(deps, actor.projectId, params),
    }),
  ),
  route(
    {
      method: 'GET',
      path: '/pipeline-runs/:id/steps/:step/why',
      permission: 'read',
      summary: 'Why a step ran or did not',
      params: StepParams,
    },
    ({ actor, params }) => whyStep(deps, actor.projectId, params),
  ),
];

async function uploadContent(
  deps: PipelinesDeps,
  claimed: string,
  body: Readable,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  const stored = await deps.content.put(body);
  if (stored.digest === claimed) return stored;
  throw new AppError(
    'invalid',
    `The bytes have the digest ${stored.digest}, not ${claimed}; the file changed while it was sent`,
  );
}
