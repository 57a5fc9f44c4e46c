import { Button, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type DragEvent, useMemo, useRef, useState } from 'react';
import { call } from '../../../api/client.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { ConfirmDialog } from '../../../ui/confirm.tsx';
import { count } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { MAX_LABEL_BYTES, readLabels } from './label-file.ts';
import classes from './monitor.module.css';

type Settings = AnswerOf<'GET /models/:model/monitor/settings'>;
type Accepted = AnswerOf<'POST /labels'>;

const BATCH = 5_000;
const EXAMPLE = 'prediction_id,value\n0190c5e8-…,1';
const SHOWN_PROBLEMS = 50;

/** Labels as `levain labels send` takes them: a file dropped or chosen, or lines pasted; every line that cannot be read is named. */
export function SendLabels({ settings }: { readonly settings: Settings }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const [isOver, setOver] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const [sent, setSent] = useState<Totals | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const read = useMemo(() => readLabels(text), [text]);
  const take = async (file: File | undefined): Promise<void> => {
    setFault('');
    setSent(null);
    if (!file) return;
    if (file.size > MAX_LABEL_BYTES) setFault(`${file.name} is larger than 64 MB; send it with levain labels send`);
    else setText(await file.text());
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  const send = async (): Promise<void> => {
    const totals = { received: 0, created: 0, changed: 0, unchanged: 0, pending: 0 };
    for (let i = 0; i < read.labels.length; i += BATCH) {
      const body = { endpoint: settings.endpoint, labels: read.labels.slice(i, i + BATCH) as never };
      const done: Accepted = await call('POST /labels', { body });
      for (const key of KEYS) totals[key] += done[key];
    }
    setSent(totals);
    setText('');
    void queries.invalidateQueries();
  };
  return (
    <Part title="Send labels">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a place to drop a file on; the button beside it does the same */}
      <div
        className={classes['drop']}
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <p>
          Drop a CSV or JSON-lines file here, choose one, or paste lines. A label has <code>value</code> and one of{' '}
          <code>prediction_id</code>, <code>caller_id</code>, <code>entity</code> (with <code>at</code>), and may have{' '}
          <code>available_at</code> and <code>source</code>.
        </p>
        <div className={classes['fields']}>
          <Button size="xs" variant="default" onClick={() => input.current?.click()}>
            Choose a file
          </Button>
          <input
            ref={input}
            type="file"
            hidden
            accept=".csv,.jsonl,.ndjson,.json,text/csv"
            aria-label="File of labels"
            onChange={({ currentTarget }) => {
              void take(currentTarget.files?.[0]);
              currentTarget.value = '';
            }}
          />
        </div>
        <Textarea
          label="Labels"
          classNames={{ input: 'mono' }}
          placeholder={EXAMPLE}
          value={text.length > 20_000 ? `${text.slice(0, 20_000)}\n…` : text}
          readOnly={text.length > 20_000}
          minRows={4}
          maxRows={12}
          autosize
          onChange={({ currentTarget }) => {
            setText(currentTarget.value);
            setSent(null);
          }}
        />
        {fault && <p role="alert">{fault}</p>}
        {read.problems.length > 0 && (
          <div role="alert">
            <p>
              {count(read.problems.length)} {read.problems.length === 1 ? 'line' : 'lines'} cannot be read; nothing is
              sent until they are right:
            </p>
            <ul className={classes['problems']} tabIndex={0} aria-label="Lines that cannot be read">
              {read.problems.slice(0, SHOWN_PROBLEMS).map(({ line, message }) => (
                <li key={line}>
                  line {line}: {message}
                </li>
              ))}
            </ul>
          </div>
        )}
        <div className={classes['fields']}>
          <Button
            size="xs"
            disabled={read.labels.length === 0 || read.problems.length > 0}
            onClick={() => setAsked(true)}
          >
            Send {read.labels.length > 0 ? count(read.labels.length) : ''}{' '}
            {read.labels.length === 1 ? 'label' : 'labels'}
          </Button>
          {text !== '' && (
            <Button size="xs" variant="default" onClick={() => setText('')}>
              Clear
            </Button>
          )}
          <output>{sent && sentence(settings.endpoint, sent)}</output>
        </div>
      </div>
      <ConfirmDialog
        verb="Send"
        title={`Send ${count(read.labels.length)} labels to ${settings.endpoint}`}
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        consequence="They count as what came true: days with new labels are judged again, and that may open or end incidents. A label said again changes nothing; said otherwise, the last one counts and the one before is kept as history."
        act={send}
      />
    </Part>
  );
}

const KEYS = ['received', 'created', 'changed', 'unchanged', 'pending'] as const;
type Totals = Readonly<Record<(typeof KEYS)[number], number>>;

const sentence = (endpoint: string, { received, created, changed, unchanged, pending }: Totals): string =>
  `${endpoint} got ${count(received)} labels: ${count(created)} new, ${count(changed)} corrected, ${count(unchanged)} known, ${count(pending)} wait for their predictions.`;
