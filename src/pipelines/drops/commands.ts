import { mkdir } from 'node:fs/promises';
import { createToken, listPeople, listTokens, revokeToken } from '../../identity/index.ts';
import { DEFAULT_PATH, inheritedEnvironment } from '../../kernel/step-environment.ts';
import type { Actor } from '../../wire/route.ts';
import type { PipelinesDeps } from '../deps.ts';
import { projectUrl } from '../environment.ts';
import { projectName } from '../step-handler.ts';
import { attemptFolder, taskId } from './record.ts';
import type { DropRecord } from './types.ts';

export const ADOPT_FILE = 'adopt.json';
export const RUN_FILE = 'run.json';
/** Stands where somebody cancelled. */
export const CANCEL_FILE = 'cancelled';

/** Longer than any adoption that makes sense; the token dies with the commands anyway. */
const TOKEN_MS = 24 * 3_600_000;

/**
 * Both commands as a person would type them, their JSON into files and all they say into the log. Arguments come as words, never
 * as shell text. `run` goes on only as far as the file allows: approving is left to people.
 */
const SCRIPT = `
levain=$1; out=$2; shift 2
echo "$ levain adopt $* --yes"
"$levain" adopt "$@" --yes --json > "$out/${ADOPT_FILE}" || exit $?
echo
echo "$ levain run"
exec "$levain" run --json > "$out/${RUN_FILE}"
`;

export async function startCommands(
  deps: PipelinesDeps,
  actor: Actor,
  drop: DropRecord,
  model: string | undefined,
): Promise<void> {
  const attemptDir = attemptFolder(deps, drop);
  await mkdir(attemptDir, { recursive: true });
  const name = tokenName(drop);
  const token = await tokenFor(deps, actor, name);
  const words = [...(drop.entry === null ? [] : [drop.entry]), ...(model === undefined ? [] : ['--model', model])];
  const task = { id: taskId(drop), attemptDir };
  await deps.executor.start({
    ...task,
    command: ['sh', '-c', SCRIPT, 'levain-drop', deps.command, attemptDir, ...words],
    cwd: drop.folder,
    env: await environmentOf(deps, actor, token),
  });
  if (token === undefined) return;
  // Where this process ends first, the token dies of age.
  void deps.executor
    .wait(task)
    .then(() => forgetToken(deps, actor, name))
    .catch((error) => deps.log.warn('The token of a drop was not revoked', { drop: drop.id, error: String(error) }));
}

const tokenName = ({ id, attempts }: DropRecord): string => `drop ${id} (${attempts})`;

/** The rights of who dropped, no more; none are needed before there are users. */
async function tokenFor(deps: PipelinesDeps, actor: Actor, name: string): Promise<string | undefined> {
  if ((await listPeople(deps.identity, actor)).length === 0) return undefined;
  return createToken(deps.identity, { user: actor.user, name, expiresAt: deps.clock.now() + TOKEN_MS });
}

async function forgetToken(deps: PipelinesDeps, actor: Actor, name: string): Promise<void> {
  const token = (await listTokens(deps.identity)).find((each) => each.name === name);
  if (token) await revokeToken(deps.identity, actor, token.id);
}

async function environmentOf(
  deps: PipelinesDeps,
  actor: Actor,
  token: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const inherited = inheritedEnvironment(deps.env, { network: true });
  const { LEVAIN_UV: uv, NODE_COMPILE_CACHE: cache } = deps.env;
  return {
    LANG: 'C.UTF-8',
    ...inherited,
    PATH: inherited['PATH'] ?? DEFAULT_PATH,
    LEVAIN_URL: projectUrl(deps, await projectName(deps, actor.projectId)),
    ...(token !== undefined && { LEVAIN_TOKEN: token }),
    ...(uv !== undefined && { LEVAIN_UV: uv }),
    ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }),
  };
}
