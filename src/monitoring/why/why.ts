import { listProjects } from '../../identity/index.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../../kernel/ids.ts';
import type { Actor } from '../../wire/route.ts';
import type { MonitoringDeps } from '../types.ts';
import { ofAlert, ofIncident } from './incident.ts';
import { isFresh, ofPrediction } from './prediction.ts';
import { ofRehearsal, ofRollout } from './rollout.ts';
import { ofRun, ofStep } from './run.ts';
import type { Finder, Found, Why } from './types.ts';
import { ofVersion } from './version.ts';

const FINDERS: readonly Finder[] = [
  ofIncident,
  ofAlert,
  ofVersion,
  ofStep,
  ofPrediction,
  ofRollout,
  ofRehearsal,
  ofRun,
];

/** A prediction is in the log a moment after its answer: so long, and so often, an id of just now is looked for. */
const LOOKS = 20;
const LOOK_MS = 250;

/** Says why of whatever has this id: incident, alert, `churn@v7`, prediction, run, `RUN/STEP`, rollout or rehearsal. */
export async function why(deps: MonitoringDeps, actor: Pick<Actor, 'projectId'>, id: string): Promise<Why> {
  const found = (await findIn(FINDERS, deps, actor, id)) ?? (await arriving(deps, actor, id));
  if (found) return toWhy(deps, actor, found);
  throw new AppError(
    'not_found',
    `Nothing here is called "${id}"; give the number of an incident, an alert such as 12/data.units, a version such as churn@v7, or the id of a prediction, run, RUN/STEP, rollout or rehearsal`,
    { hint: 'levain activity' },
  );
}

async function findIn(
  finders: readonly Finder[],
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  id: string,
): Promise<Found | undefined> {
  for (const find of finders) {
    const found = await find(deps, actor, id).catch((error) => {
      if (isAppError(error, 'not_found') || isAppError(error, 'invalid')) return undefined;
      throw error;
    });
    if (found) return found;
  }
  return undefined;
}

async function arriving(deps: MonitoringDeps, actor: Pick<Actor, 'projectId'>, id: string): Promise<Found | undefined> {
  if (!(await isFresh(deps, actor, id))) return undefined;
  for (let i = 0; i < LOOKS; i++) {
    await deps.clock.sleep(LOOK_MS);
    const found = await findIn([ofPrediction], deps, actor, id);
    if (found) return found;
  }
  return undefined;
}

async function toWhy(
  deps: MonitoringDeps,
  { projectId }: Pick<Actor, 'projectId'>,
  { answer, details, links, ...found }: Found,
): Promise<Why> {
  const projects = projectId === DEFAULT_PROJECT_ID ? [] : await listProjects(deps.identity);
  const project = projects.find((each) => each.id === projectId);
  const base = `${deps.serverUrl()}${project ? `/p/${encodeURIComponent(project.name)}` : ''}/api/levain/v1`;
  return {
    ...found,
    answer,
    lines: [answer, ...details],
    links: Object.entries(links).map(([what, path]) => ({ what, url: `${base}${path}` })),
  };
}
