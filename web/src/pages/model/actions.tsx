import { useChange } from '../../api/queries.ts';
import { Confirm } from '../../ui/confirm.tsx';
import type { ModelStatus } from './layout.tsx';

/** What may be done to a model from anywhere in it; each says what follows. */
export function ModelActions({ model }: { readonly model: ModelStatus }) {
  return (
    <>
      {model.held === null ? <Hold model={model} /> : <Resume model={model} />}
      <Retrain model={model} />
      {model.endpoint !== null && model.version !== null && <RollBack model={model} endpoint={model.endpoint} />}
    </>
  );
}

function Hold({ model }: { readonly model: ModelStatus }) {
  const hold = useChange('POST /models/:model/hold');
  return (
    <Confirm
      verb="Hold"
      reason="needed"
      consequence={`No retraining and no promotion of ${model.name} until it is resumed. What is live goes on answering.`}
      act={(reason) => hold.mutateAsync({ params: { model: model.name }, body: { reason } as never })}
    />
  );
}

function Resume({ model }: { readonly model: ModelStatus }) {
  const resume = useChange('POST /models/:model/resume');
  return (
    <Confirm
      verb="Resume"
      primary
      consequence={`${model.name} is HELD: ${model.held}. Retraining and promotion are allowed again.`}
      act={() => resume.mutateAsync({ params: { model: model.name } } as never)}
    />
  );
}

function Retrain({ model }: { readonly model: ModelStatus }) {
  const run = useChange('POST /pipelines/:name/runs');
  return (
    <Confirm
      verb="Retrain"
      consequence={`The pipeline of ${model.name} runs on its newest data. A version that passes the gate is rolled out as the applied file says.`}
      act={() => run.mutateAsync({ params: { name: model.name }, body: { dataMode: 'latest' } } as never)}
    />
  );
}

function RollBack({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const back = useChange('POST /rollbacks');
  return (
    <Confirm
      verb="Roll back"
      danger
      reason="needed"
      consequence={
        <>
          <p>
            Traffic of {endpoint} moves from v{model.version} to the version before it, which is warm, within seconds.
          </p>
          <p>Not undone: data, labels, answers given, running batches.</p>
          <p>{model.name} is then HELD: no retraining or promotion until resume.</p>
        </>
      }
      act={(reason) => back.mutateAsync({ body: { endpoint, reason } } as never)}
    />
  );
}
