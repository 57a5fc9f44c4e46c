import { Button } from '@mantine/core';
import classes from './chart.module.css';

interface FigureHeadProps {
  readonly title: string;
  readonly isTable: boolean;
  readonly onTable: (isTable: boolean) => void;
  readonly onCsv: () => void;
}

/** What stands above every chart and drawing: what it shows, its numbers as a table, and as CSV. */
export function FigureHead({ title, isTable, onTable, onCsv }: FigureHeadProps) {
  const word = isTable ? 'Chart' : 'Table';
  return (
    <figcaption>
      <span className={classes['title']}>{title}</span>
      <span className={classes['tools']}>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          aria-label={`${word}: ${title}`}
          onClick={() => onTable(!isTable)}
        >
          {word}
        </Button>
        <Button size="compact-xs" variant="subtle" color="gray" aria-label={`CSV: ${title}`} onClick={onCsv}>
          CSV
        </Button>
      </span>
    </figcaption>
  );
}
