import type { AnswerOf } from '../api/routes.ts';
import { shortId } from '../ui/format.ts';
import { Graph } from '../ui/graph.tsx';
import type { GraphNode } from '../ui/graph-parts.ts';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;

/** From data to endpoint: what a version was made of, and where it answers. */
export function Lineage({ version, endpoint }: { readonly version: Version; readonly endpoint: string | null }) {
  const data: readonly GraphNode[] = version.data.map(({ dataset, version: n }) => ({
    id: `data:${dataset}`,
    title: `${dataset} v${n}`,
    detail: 'data',
  }));
  const run = `run ${version.runId ? shortId(version.runId) : '—'}`;
  const nodes: readonly GraphNode[] = [
    ...data,
    ...(version.environment
      ? [{ id: 'env', title: `env ${version.environment.slice(0, 7)}`, detail: 'environment' }]
      : []),
    ...(version.source ? [{ id: 'code', title: `code ${version.source.slice(0, 7)}`, detail: 'source' }] : []),
    { id: 'run', title: run, detail: 'run' },
    {
      id: 'version',
      title: `${version.model} v${version.version}`,
      detail: version.gate ? `gate ${version.gate.outcome}` : 'no gate yet',
    },
    ...(endpoint ? [{ id: 'endpoint', title: endpoint, detail: 'endpoint' }] : []),
  ];
  const edges: (readonly [string, string])[] = [
    ...data.map(({ id }) => [id, 'run'] as const),
    ...(version.environment ? [['env', 'run'] as const] : []),
    ...(version.source ? [['code', 'run'] as const] : []),
    ['run', 'version'],
    ...(endpoint ? [['version', 'endpoint'] as const] : []),
  ];
  return <Graph label="Lineage" nodes={nodes} edges={edges} height={240} />;
}
