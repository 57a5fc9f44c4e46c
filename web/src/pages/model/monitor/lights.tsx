import { healthOf, LIGHTS, type LightName, worstLight } from '../../../domain/lights.tsx';
import { placeOfIncident } from '../../../domain/places.ts';
import { count } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Status } from '../../../ui/status.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { RulePanel, showRule } from './rule.tsx';
import { dayOf, type Finding, type Monitor } from './state.ts';

interface Props {
  readonly monitor: Monitor;
  readonly days: number;
}

type Judged = Finding & { readonly start: string };

const STATE_WORDS: Readonly<Record<Finding['state'], string>> = {
  green: 'good',
  amber: 'watch',
  red: 'bad',
  grey: 'unknown',
};

/** The five lights; the rules of the one that is chosen, and of them the one that is asked about. */
export function LightsAndRules({ monitor, days }: Props) {
  const [view, change] = useView();
  const light = (LIGHTS as readonly string[]).includes(view['light'] ?? '')
    ? (view['light'] as LightName)
    : worstLight(monitor.lights).name;
  const rules = latestRules(monitor, light);
  return (
    <Part title="Why each light is as it is">
      <div className={classes['why']}>
        <ul className={classes['lights']} aria-label="Lights">
          {LIGHTS.map((name) => (
            <li key={name}>
              <button
                type="button"
                className={classes['light']}
                aria-pressed={name === light}
                onClick={() => change({ light: name, rule: undefined })}
              >
                <Status
                  health={healthOf(monitor.lights[name].state)}
                  word={`${name}: ${STATE_WORDS[monitor.lights[name].state]}`}
                />
                <span className={classes['says']}>{monitor.lights[name].sentence}</span>
              </button>
            </li>
          ))}
        </ul>
        <div>
          <IncidentLink sentence={monitor.lights[light].sentence} />
          <Table
            label={`Rules of the ${light} light`}
            rows={rules}
            columns={RULES}
            rowId={({ rule }) => rule}
            selected={new Set(view['rule'] ? [view['rule']] : [])}
            onOpen={({ rule }) => change({ light, rule: view['rule'] === rule ? undefined : rule })}
            empty={
              light === 'business'
                ? 'Business metrics are not evaluated yet, so this light stays unknown.'
                : 'No window of the version that answers has been judged in these days.'
            }
          />
        </div>
      </div>
      {view['rule'] && <RulePanel model={monitor.model} rule={view['rule']} days={days} />}
    </Part>
  );
}

/** An open incident speaks for its light: it is the evidence. */
function IncidentLink({ sentence }: { readonly sentence: string }) {
  const number = /^incident (\d+):/.exec(sentence)?.[1];
  if (number === undefined) return null;
  return (
    <p style={{ marginBottom: 8 }}>
      This light is as its open incident: <GoLink to={placeOfIncident(number)}>incident {number}</GoLink>.
    </p>
  );
}

/** Each rule as the newest window of the version that answers found it: what the light goes by. */
export function latestRules(monitor: Monitor, light: string): readonly Judged[] {
  const latest = new Map<string, Judged>();
  for (const { start, version, findings } of monitor.windows)
    if (version === monitor.version)
      for (const finding of findings) if (finding.light === light) latest.set(finding.rule, { ...finding, start });
  return [...latest.values()];
}

const RULES: readonly Column<Judged>[] = [
  { id: 'rule', header: 'rule', value: ({ rule }) => rule, cell: ({ rule }) => <strong>{rule}</strong> },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => STATE_WORDS[state],
    cell: ({ state }) => <Status health={healthOf(state)} word={STATE_WORDS[state]} />,
  },
  {
    id: 'value',
    header: 'observed',
    numeric: true,
    value: ({ value }) => value,
    cell: ({ rule, value }) => showRule(rule, value),
  },
  {
    id: 'threshold',
    header: 'threshold',
    numeric: true,
    value: ({ threshold }) => threshold,
    cell: ({ rule, threshold }) => showRule(rule, threshold, true),
  },
  { id: 'n', header: 'n', numeric: true, value: ({ n }) => n, cell: ({ n }) => count(n) },
  { id: 'window', header: 'window', value: ({ start }) => dayOf(start) },
  {
    id: 'sentence',
    header: 'what it found',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
];
