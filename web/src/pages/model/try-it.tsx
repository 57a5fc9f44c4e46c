import { Button, SegmentedControl } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Answer, type Asked, bodyOf } from './try-it/answer.tsx';
import type { Known } from './try-it/field.tsx';
import { Fill } from './try-it/fill.tsx';
import { ExtrasForm, JsonForm, RowForm, RowTabs } from './try-it/form.tsx';
import { blamed, blamedRow, type Input, parseRows, type Row, toJson, toRequest, toRow } from './try-it/request.ts';
import { Snippets } from './try-it/snippets-view.tsx';
import classes from './try-it/try-it.module.css';
import { useDraft } from './try-it/use-draft.ts';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;
type Endpoint = AnswerOf<'GET /endpoints/:name'>;

interface TryItProps {
  readonly model: string;
  readonly version: number;
  readonly endpoint: Endpoint;
}

/** A form made of the signature, its answer with reasons, and the same request for other programs. */
export function TryIt({ model, version, endpoint }: TryItProps) {
  const made = useGet('GET /models/:model/versions/:version', { params: { model, version } });
  const last = useGet('GET /predictions', { query: { endpoint: endpoint.name, limit: 1 } });
  if (made.error && !made.data) return <Failure error={made.error} retry={() => void made.refetch()} />;
  if (!made.data || !(last.data || last.error)) return <Rows count={6} />;
  if (!made.data.signature)
    return <Empty>v{version} was registered without a signature, so no form can be made of it.</Empty>;
  return <Form key={model} version={made.data} endpoint={endpoint} row={last.data?.items[0]?.features ?? {}} />;
}

interface FormProps {
  readonly version: Version;
  readonly endpoint: Endpoint;
  readonly row: Readonly<Record<string, unknown>>;
}

function Form({ version, endpoint, row }: FormProps) {
  const inputs = version.signature!.inputs;
  const [draft, change] = useDraft(endpoint.name, () => [toRow(inputs, row)]);
  const [chosen, choose] = useState(0);
  const known = useKnown(version);
  const ask = useChange('POST /predictions');
  const parsed = useParsed(draft.json, draft.rows, inputs);
  const request = useMemo(() => toRequest(inputs, parsed.rows, draft.extras), [inputs, parsed.rows, draft.extras]);
  const at = Math.min(chosen, parsed.rows.length - 1);
  const setRow = (next: Row): void => change({ rows: draft.rows.map((each, i) => (i === at ? next : each)) });
  const errors = errorsOf(ask.data, inputs, at);
  const fill = (values: Readonly<Record<string, unknown>>): void => {
    const rows = parsed.rows.map((each, i) => (i === at ? toRow(inputs, values) : each));
    change({ rows, ...(draft.json !== null && { json: toJson(inputs, rows) }) });
  };
  return (
    <div className={classes['layout']}>
      <form
        className={classes['form']}
        aria-label="Try it"
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed.error === undefined) ask.mutate({ body: { endpoint: endpoint.name, request: request as never } });
        }}
      >
        <span className={classes['tools']}>
          <SegmentedControl
            size="xs"
            aria-label="How to write the rows"
            data={['form', 'JSON']}
            value={draft.json === null ? 'form' : 'JSON'}
            onChange={(mode) => {
              if (mode === 'JSON') change({ json: toJson(inputs, draft.rows) });
              else if (parsed.error === undefined) change({ rows: parsed.rows, json: null });
            }}
          />
          <Fill endpoint={endpoint.name} dataset={version.data[0]?.dataset ?? null} onFill={fill} />
        </span>
        {draft.json === null ? (
          <>
            <RowTabs
              count={draft.rows.length}
              chosen={at}
              onChoose={choose}
              onAdd={() => {
                change({ rows: [...draft.rows, draft.rows[at]!] });
                choose(draft.rows.length);
              }}
              onRemove={() => change({ rows: draft.rows.filter((_, i) => i !== at) })}
            />
            <RowForm inputs={inputs} known={known} row={draft.rows[at]!} errors={errors} onChange={setRow} />
          </>
        ) : (
          <JsonForm text={draft.json} error={parsed.error} onChange={(json) => change({ json })} />
        )}
        <ExtrasForm
          extras={draft.extras}
          isDated={endpoint.eventTime === 'client'}
          onChange={(extras) => change({ extras })}
        />
        <span className={classes['tools']}>
          <Button size="xs" type="submit" loading={ask.isPending} disabled={parsed.error !== undefined}>
            Ask
          </Button>
          <span className="muted">It is logged and counted like any caller's request.</span>
        </span>
      </form>
      <div className={classes['side']}>
        <Answer
          model={version.model}
          asked={ask.data}
          error={ask.error}
          isBusy={ask.isPending}
          classes={version.words ?? version.classes}
          row={at}
        />
        <Snippets
          url={`${endpoint.urls[0] ?? 'http://127.0.0.1:4748'}/v2/models/${endpoint.name}/infer`}
          request={request}
        />
      </div>
    </div>
  );
}

/** What training held of each column, where it is known. */
function useKnown({ model, version }: Pick<Version, 'model' | 'version'>): ReadonlyMap<string, Known> {
  const { data } = useGet('GET /models/:model/versions/:version/profile', { params: { model, version } });
  return useMemo(() => new Map(data?.profile?.features.map((feature) => [feature.name, feature])), [data]);
}

/** The rows that are sent: those of the form, or of the JSON; while that is none, those before it. */
function useParsed(json: string | null, rows: readonly Row[], inputs: readonly Input[]) {
  return useMemo((): { readonly rows: readonly Row[]; readonly error?: string } => {
    if (json === null) return { rows };
    try {
      return { rows: parseRows(inputs, json) };
    } catch (error) {
      return { rows, error: error instanceof Error ? error.message : String(error) };
    }
  }, [json, rows, inputs]);
}

/** What a refusal says of the columns, at the row that it is about. */
function errorsOf(asked: Asked | undefined, inputs: readonly Input[], row: number): Readonly<Record<string, string>> {
  const { error } = asked ? bodyOf(asked) : {};
  if (error === undefined) return {};
  const about = blamedRow(error);
  return about === null || about === row ? blamed(error, inputs) : {};
}
