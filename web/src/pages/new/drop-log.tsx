import { useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import classes from './new.module.css';

/** What is shown of a log at most; the rest scrolled away. */
const MAX_CHARACTERS = 200_000;
const WAIT_SECONDS = 20;
const TAIL_BYTES = 200_000;

/** Follows what the commands say, to their end. */
export function DropLog({ id, onEnd }: { readonly id: string; readonly onEnd: () => void }) {
  const [text, setText] = useState('');
  const place = useRef<HTMLPreElement>(null);
  const ended = useRef(onEnd);
  ended.current = onEnd;
  useEffect(() => {
    const stopping = new AbortController();
    setText('');
    const add = (more: string): void => setText((before) => (before + more).slice(-MAX_CHARACTERS));
    void follow(id, stopping.signal, add).then(() => stopping.signal.aborted || ended.current());
    return () => stopping.abort();
  }, [id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what moves it
  useEffect(() => {
    place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [text]);
  return (
    <pre ref={place} className={classes['text']} tabIndex={0} aria-label="what the commands say">
      {text || 'Nothing yet.'}
    </pre>
  );
}

async function follow(id: string, signal: AbortSignal, onText: (text: string) => void): Promise<void> {
  let offset = -TAIL_BYTES;
  while (!signal.aborted) {
    const wait = offset < 0 ? 0 : WAIT_SECONDS;
    const chunk = await call('GET /drops/:id/log', { params: { id }, query: { offset, wait }, signal }).catch(
      () => undefined,
    );
    if (!chunk) return;
    if (chunk.text !== '') onText(chunk.text);
    offset = chunk.nextOffset;
    if (chunk.finished && chunk.text === '') return;
  }
}
