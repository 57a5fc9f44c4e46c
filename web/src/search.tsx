import { Modal, TextInput } from '@mantine/core';
import { type KeyboardEvent, useState } from 'react';
import classes from './search.module.css';
import { type Hit, useHits } from './search-hits.ts';
import { useGo } from './ui/link.tsx';

/** Models, versions, data sets, incidents, pages, and anything by the end of its id. */
export default function Search({ onClose }: { readonly onClose: () => void }) {
  return (
    <Modal.Root opened onClose={onClose} yOffset="12vh" size="lg">
      <Modal.Overlay />
      <Modal.Content aria-label="Search">
        <Modal.Body p="xs">
          <Finder onClose={onClose} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

const LIST = 'search-hits';
const idOf = (index: number): string => `${LIST}-${index}`;

function Finder({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const go = useGo();
  const { hits, isLooking } = useHits(text.trim());
  const current = Math.min(at, hits.length - 1);
  const open = (hit: Hit | undefined): void => {
    if (!hit) return;
    onClose();
    go(hit.to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, current + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, current - 1));
    else if (event.key === 'Enter') open(hits[current]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput
        data-autofocus
        role="combobox"
        aria-label="Search"
        aria-expanded={hits.length > 0}
        aria-controls={LIST}
        aria-activedescendant={hits.length > 0 ? idOf(current) : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="A model, a version, a data set, an incident, the end of an id"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <Hits hits={hits} current={current} open={open} />
      {hits.length === 0 && (
        <p className={`${classes['none']} muted`} role="status">
          {isLooking ? 'Looking…' : 'Nothing here is called that, and no id ends so.'}
        </p>
      )}
    </>
  );
}

interface HitsProps {
  readonly hits: readonly Hit[];
  readonly current: number;
  readonly open: (hit: Hit) => void;
}

function Hits({ hits, current, open }: HitsProps) {
  return (
    <div id={LIST} role="listbox" aria-label="What was found" className={classes['hits']}>
      {hits.map((hit, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the field, which keeps the focus
        <div
          key={`${hit.kind} ${hit.to}`}
          id={idOf(index)}
          role="option"
          tabIndex={-1}
          aria-selected={index === current}
          className={classes['hit']}
          ref={(element) => {
            if (index === current) element?.scrollIntoView({ block: 'nearest' });
          }}
          onClick={() => open(hit)}
        >
          <span className={classes['kind']}>{hit.kind}</span>
          <span className={classes['title']}>{hit.title}</span>
          {hit.detail && <span className={classes['detail']}>{hit.detail}</span>}
        </div>
      ))}
    </div>
  );
}
