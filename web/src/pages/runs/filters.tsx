import { useMemo } from 'react';
import { useExperiments } from '../../domain/experiments.ts';
import { RUN_STATES } from '../../domain/run-status.tsx';
import { Dropdown } from '../../ui/dropdown.tsx';
import { count } from '../../ui/format.ts';
import { Choice } from './column-menu.tsx';
import classes from './runs.module.css';
import type { RunRow } from './table-data.ts';

/** One experiment, or all. */
export function ExperimentMenu({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (id: string) => void;
}) {
  const experiments = useExperiments();
  const pick = (id: string): void => onChange(id === value ? '' : id);
  return (
    <Dropdown
      label={
        <span className={classes['label']}>{value === '' ? 'All experiments' : (experiments.get(value) ?? value)}</span>
      }
    >
      <fieldset className={classes['group']}>
        <legend>Experiment</legend>
        {[...experiments].map(([id, name]) => (
          <Choice key={id} label={name} isOn={id === value} onToggle={() => pick(id)} />
        ))}
      </fieldset>
    </Dropdown>
  );
}

interface StateMenuProps {
  readonly rows: readonly RunRow[];
  readonly chosen: readonly string[];
  readonly onChoose: (states: readonly string[]) => void;
}

/** States with how many runs have them; deleted ones are another list. */
export function StateMenu({ rows, chosen, onChoose }: StateMenuProps) {
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    for (const { status } of rows) found.set(status, (found.get(status) ?? 0) + 1);
    return found;
  }, [rows]);
  const toggle = (state: string): void =>
    onChoose(chosen.includes(state) ? chosen.filter((each) => each !== state) : [...chosen, state]);
  const label = chosen.length === 0 ? 'Any state' : chosen.map((state) => state.toLowerCase()).join(', ');
  return (
    <Dropdown label={<span className={classes['label']}>{label}</span>}>
      <fieldset className={classes['group']}>
        <legend>State</legend>
        {RUN_STATES.map((state) => (
          <Choice
            key={state}
            label={state.toLowerCase()}
            note={count(counts.get(state) ?? 0)}
            isOn={chosen.includes(state)}
            onToggle={() => toggle(state)}
          />
        ))}
        <Choice label="deleted" isOn={chosen.includes('deleted')} onToggle={() => toggle('deleted')} />
      </fieldset>
    </Dropdown>
  );
}
