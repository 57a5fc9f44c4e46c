import { Modal, TextInput, UnstyledButton } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useGet } from './api/queries.ts';
import classes from './search.module.css';

interface Hit {
  readonly kind: string;
  readonly title: string;
  readonly to: string;
}

const MAX_HITS = 12;

/** Models, datasets, pipelines, and any incident, run or id by its ending. */
export function Search({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} withCloseButton={false} aria-label="Search" padding="xs" yOffset="12vh">
      {isOpen && <Finder onClose={onClose} />}
    </Modal>
  );
}

function Finder({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const hits = useHits(text.trim().toLowerCase());
  const open = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    void navigate({ to: hit.to });
  };
  return (
    <>
      <TextInput
        data-autofocus
        aria-label="Search"
        placeholder="A model, a dataset, an incident's number, the end of an id"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, at + 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
          else if (event.key === 'Enter') open(hits[at]);
          else return;
          event.preventDefault();
        }}
      />
      <ul className={classes['hits']}>
        {hits.map((hit, index) => (
          <li key={`${hit.kind}${hit.to}`}>
            <UnstyledButton className={classes['hit']} data-at={index === at || undefined} onClick={() => open(hit)}>
              <span className="muted">{hit.kind}</span> {hit.title}
            </UnstyledButton>
          </li>
        ))}
        {text !== '' && hits.length === 0 && <li className="muted">Nothing here is called that.</li>}
      </ul>
    </>
  );
}

function useHits(text: string): readonly Hit[] {
  const status = useGet('GET /status');
  const datasets = useGet('GET /datasets');
  const incidents = useGet('GET /incidents', { query: { limit: 50 } });
  const runs = useGet('GET /pipeline-runs', { query: { limit: 50 } });
  const all: readonly Hit[] = [
    ...(status.data?.models ?? []).map(({ name }) => ({
      kind: 'model',
      title: name,
      to: `/m/${encodeURIComponent(name)}`,
    })),
    ...(datasets.data?.items ?? []).map(({ name }) => ({
      kind: 'dataset',
      title: name,
      to: `/data/${encodeURIComponent(name)}`,
    })),
    ...(incidents.data?.items ?? []).map(({ number, model }) => ({
      kind: 'incident',
      title: `${number} of ${model}`,
      to: `/i/${number}`,
    })),
    ...(runs.data?.items ?? []).map(({ id, pipeline }) => ({
      kind: 'run',
      title: `${pipeline} ${id}`,
      to: `/m/${encodeURIComponent(pipeline)}/pipeline`,
    })),
  ];
  return all.filter(({ title }) => title.toLowerCase().includes(text)).slice(0, MAX_HITS);
}
