import { LIGHTS, type Light } from '../project-file/index.ts';
import { type Endpoint, listEndpoints } from '../serving/index.ts';
import { selectEvaluations } from './evaluation/evaluations.store.ts';
import { selectOpen } from './incidents/incidents.store.ts';
import { clockOf } from './labels/labels.ts';
import type { EvaluationTable, IncidentTable } from './tables.ts';
import { type LightState, type Lights, type LightView, type MonitoringDeps, WINDOW_MS } from './types.ts';

/** Lights look back so far for the last window that was judged. */
const LOOK_BACK_MS = 45 * WINDOW_MS;
const ORDER: Readonly<Record<LightState, number>> = { grey: 0, green: 1, amber: 2, red: 3 };

const grey = (sentence: string): LightView => ({ state: 'grey', sentence });

/** The five lights of a model: what the last windows of the version that answers say, and what is open. */
export async function lights(deps: MonitoringDeps, projectId: string, model: string): Promise<Lights> {
  const endpoint = (await listEndpoints(deps.serving, { projectId })).find((each) => each.model === model);
  return endpoint ? lightsOf(deps, projectId, endpoint) : notDeployed();
}

const all = (sentence: string): Lights =>
  Object.fromEntries(LIGHTS.map((light) => [light, grey(light === 'business' ? NO_BUSINESS : sentence)])) as Lights;

/** The lights of a model that nothing asks. */
export const notDeployed = (): Lights => all('not deployed');

const NO_BUSINESS = 'no business metric is configured';

export async function lightsOf(deps: MonitoringDeps, projectId: string, endpoint: Endpoint): Promise<Lights> {
  const { championId } = endpoint;
  if (championId === null) return all('no version is live yet');
  const clock = clockOf(endpoint) ?? deps.clock.now();
  const range = { projectId, endpoint: endpoint.name, from: clock - LOOK_BACK_MS, to: clock + 1 };
  const { rows, open } = await deps.db.read(async (tx) => ({
    rows: await selectEvaluations(tx, range, championId),
    open: await selectOpen(tx, projectId, endpoint.name),
  }));
  const latest = new Map<string, EvaluationTable>();
  for (const row of rows) latest.set(row.rule, row);
  const views = LIGHTS.map((light) => [light, lightOf(light, [...latest.values()], open, endpoint)] as const);
  return Object.fromEntries(views) as Lights;
}

/** The rule that speaks for a light where nothing is wrong. */
const SPEAKERS: Readonly<Record<string, readonly string[]>> = {
  service: ['service.errors', 'service.latency'],
  data: ['data.drift'],
  predictions: ['predictions.scores'],
  performance: ['performance.day'],
};

function lightOf(
  light: Light,
  rows: readonly EvaluationTable[],
  open: readonly IncidentTable[],
  endpoint: Endpoint,
): LightView {
  if (light === 'business') return grey(NO_BUSINESS);
  if (light === 'service' && endpoint.urls.length === 0) return { state: 'red', sentence: 'no gateway answers' };
  const incident = open.find((each) => each.light === light && each.rehearsal === null);
  if (incident)
    return {
      state: incident.severity === 'page' ? 'red' : 'amber',
      sentence: `incident ${incident.number}: ${incident.verdict.split('\n')[0]}`,
    };
  const mine = rows.filter((row) => row.light === light);
  if (mine.length === 0) return grey(light === 'performance' ? 'no labels yet' : 'no window has ended yet');
  const worst = mine.reduce((a, b) => (ORDER[b.state as LightState] > ORDER[a.state as LightState] ? b : a));
  const state = worst.state as LightState;
  if (state === 'amber' || state === 'red') return { state, sentence: worst.sentence };
  const speaking = mine.filter((row) => SPEAKERS[light]?.includes(row.rule));
  return { state, sentence: (speaking.length > 0 ? speaking : [worst]).map((row) => row.sentence).join('; ') };
}
