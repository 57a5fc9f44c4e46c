import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import { byWorst, MODEL_COLUMNS, ModelTable } from '../../domain/model-table.tsx';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { fromSort, toSort, useViewState } from '../../ui/view-state.ts';

/** Every model: searched by name, state words and versions; sorted by any column, the worst first where nothing is chosen. */
export default function ModelsPage() {
  const { data, error, refetch } = useGet('GET /status');
  const [words, setWords] = useViewState('q');
  const [sort, setSort] = useViewState('sort');
  const [hide, setHide] = useViewState('hide');
  const models = data?.models;
  const found = useMemo(() => byWorst((models ?? []).filter((model) => matches(model, words))), [models, words]);
  const hidden = hide === '' ? [] : hide.split(',');
  return (
    <Page title="Models" status={data && <span className="num">{countWords(found.length, data.models.length)}</span>}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={12} />
      ) : data.models.length === 0 ? (
        <Empty command="levain run">
          No model is registered yet; a run of a pipeline with a model section makes the first.
        </Empty>
      ) : (
        <>
          <FilterBar
            label="Search models"
            placeholder="Name, HELD, v7, red, rollout …"
            value={words}
            onChange={setWords}
            columns={MODEL_COLUMNS.filter(({ id }) => id !== 'name')}
            hidden={hidden}
            onHide={(next) => setHide(next.join(','))}
          />
          {found.length === 0 ? (
            <Empty>No model here is like “{words}”.</Empty>
          ) : (
            <ModelTable models={found} sort={toSort(sort)} onSort={(next) => setSort(fromSort(next))} hidden={hidden} />
          )}
        </>
      )}
    </Page>
  );
}

type Model = Parameters<typeof byWorst>[0][number];

const countWords = (found: number, all: number): string => (found === all ? `${all}` : `${found} of ${all}`);

/** Every word must be found in what the row says. */
function matches(model: Model, words: string): boolean {
  const { name, endpoint, hold, rollout, live, lights, waiting } = model;
  const text = [
    name,
    endpoint,
    hold && 'HELD',
    rollout && `rollout ${rollout.state}`,
    waiting.length > 0 && 'waits for approval',
    ...live.map(({ version }) => `v${version}`),
    ...Object.entries(lights).map(([light, { state }]) => `${light}:${state} ${state}`),
  ]
    .filter(Boolean)
    .join(' ')
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
