import { Button, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { call } from '../../../api/client.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import type { LogOf } from './log-window.ts';
import classes from './pipeline.module.css';

type Matches = AnswerOf<'GET /pipeline-runs/:id/steps/:step/log/search'>;
type Match = Matches['matches'][number];

interface LogSearchProps {
  readonly of: LogOf;
  readonly onFound: (match: Match) => void;
}

/** Searches the whole log at the server, and goes from line to line. */
export function LogSearch({ of: { run, step, attempt }, onFound }: LogSearchProps) {
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [found, setFound] = useState<Matches>();
  const [at, setAt] = useState(0);
  const [said, setSaid] = useState('');
  // biome-ignore lint/correctness/useExhaustiveDependencies: another log has other lines
  useEffect(() => {
    setFound(undefined);
    setSaid('');
  }, [run, step, attempt]);
  const search = async (offset: number): Promise<void> => {
    setSaid('Searching …');
    try {
      const answer = await call('GET /pipeline-runs/:id/steps/:step/log/search', {
        params: { id: run, step },
        query: { text, offset, ...(attempt > 0 && { attempt }) },
      });
      setFound(answer);
      setAsked(text);
      setAt(0);
      setSaid('');
      if (answer.matches[0]) onFound(answer.matches[0]);
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  const go = (step: 1 | -1): void => {
    const next = at + step;
    const match = found?.matches[next];
    if (match) {
      setAt(next);
      onFound(match);
    } else if (step === 1 && found?.next) void search(found.next);
    else if (step === 1 && found) void search(0);
  };
  const isNew = text !== asked || !found;
  return (
    <form
      className={classes['search']}
      onSubmit={(event) => {
        event.preventDefault();
        if (text === '') return;
        if (isNew) void search(0);
        else go(1);
      }}
    >
      <TextInput
        size="xs"
        type="search"
        aria-label="Search the log"
        placeholder="Search the whole log"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button size="compact-xs" variant="default" disabled={isNew || at === 0} onClick={() => go(-1)}>
        Previous
      </Button>
      <Button size="compact-xs" variant="default" type="submit" disabled={text === ''}>
        {isNew ? 'Search' : 'Next'}
      </Button>
      <span role="status" className="muted">
        {said || (found && !isNew ? countWords(found, at) : '')}
      </span>
    </form>
  );
}

function countWords({ matches, next }: Matches, at: number): string {
  if (matches.length === 0) return next === null ? 'nothing found' : 'nothing found so far';
  return `line ${at + 1} of ${matches.length}${next === null ? '' : ' and more'}`;
}
