import { useGet } from '../../api/queries.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { ModelRows } from '../home/model-rows.tsx';

export default function ModelsPage() {
  const { data, error, refetch } = useGet('GET /status');
  return (
    <Page title="Models">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows />
      ) : data.models.length === 0 ? (
        <Empty command="levain run">
          No model is registered yet; a run of a pipeline with a model section makes the first.
        </Empty>
      ) : (
        <ModelRows models={data.models} />
      )}
    </Page>
  );
}
