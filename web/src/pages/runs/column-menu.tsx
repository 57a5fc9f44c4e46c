import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import { Dropdown } from '../../ui/dropdown.tsx';
import { count } from '../../ui/format.ts';
import { FACTS } from './columns.tsx';
import classes from './runs.module.css';

interface ColumnMenuProps {
  /** The logged columns in sight, in their order. */
  readonly shown: readonly string[];
  /** Undefined gives the choice back. */
  readonly onShow: (columns: readonly string[] | undefined) => void;
  readonly hidden: readonly string[];
  readonly onHide: (hidden: readonly string[]) => void;
}

const GROUPS = [
  ['metrics', 'Metrics'],
  ['params', 'Parameters'],
  ['tags', 'Tags'],
] as const;
const MAX_LISTED = 200;
const MAX_COLUMNS = 60;

/** Which columns are shown: facts, and whatever runs logged. */
export function ColumnMenu({ shown, onShow, hidden, onHide }: ColumnMenuProps) {
  const { data } = useGet('GET /runs/keys');
  const [words, setWords] = useState('');
  const toggle = (id: string): void =>
    onShow(shown.includes(id) ? shown.filter((each) => each !== id) : [...shown, id]);
  return (
    <Dropdown label="Columns">
      <div className={classes['menu']}>
        <input
          type="search"
          className={classes['find']}
          aria-label="Find a column"
          placeholder="Find a metric, parameter or tag"
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        {words === '' && (
          <Group title="Facts">
            {[...FACTS, { id: 'experiment', header: 'experiment' }].map(({ id, header }) => (
              <Choice
                key={id}
                label={header}
                isOn={!hidden.includes(id)}
                onToggle={() => onHide(hidden.includes(id) ? hidden.filter((each) => each !== id) : [...hidden, id])}
              />
            ))}
          </Group>
        )}
        {GROUPS.map(([group, title]) => {
          const found = (data?.[group] ?? []).filter(({ key }) => key.toLowerCase().includes(words.toLowerCase()));
          if (found.length === 0) return null;
          return (
            <Group key={group} title={title}>
              {found.slice(0, MAX_LISTED).map(({ key, runs, varies }) => {
                const id = `${group}.${key}`;
                const isOn = shown.includes(id);
                return (
                  <Choice
                    key={id}
                    label={key}
                    note={`${count(runs)}${varies ? '' : ', all the same'}`}
                    isOn={isOn}
                    isDisabled={!isOn && shown.length >= MAX_COLUMNS}
                    onToggle={() => toggle(id)}
                  />
                );
              })}
              {found.length > MAX_LISTED && (
                <p className="muted">{found.length - MAX_LISTED} more; find them by name.</p>
              )}
            </Group>
          );
        })}
        <button type="button" className={classes['reset']} onClick={() => onShow(undefined)}>
          Back to the usual columns
        </button>
      </div>
    </Dropdown>
  );
}

function Group({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  return (
    <fieldset className={classes['group']}>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly note?: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly onToggle: () => void;
}

export function Choice({ label, note, isOn, isDisabled = false, onToggle }: ChoiceProps) {
  return (
    <label className={classes['choice']} title={label}>
      <input type="checkbox" checked={isOn} disabled={isDisabled} onChange={onToggle} />
      <span>{label}</span>
      {note && <span className="muted">{note}</span>}
    </label>
  );
}
