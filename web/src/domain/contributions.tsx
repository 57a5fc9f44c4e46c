import type { PredictionWhy } from '../api/routes.ts';
import { exact, number, percent } from '../ui/format.ts';
import classes from './contributions.module.css';

export type Contributions = NonNullable<PredictionWhy['contributions']>;
type Scale = Contributions['scale'];

const SHOWN = 12;

/** What moved an answer away from the average one: a bar a column, to the right where it raised it. */
export function ContributionBars({ contributions }: { readonly contributions: Contributions }) {
  const { features, scale, base, output } = contributions;
  const shown = features.slice(0, SHOWN);
  const longest = Math.max(...shown.map(({ contribution }) => Math.abs(contribution)), 1e-12);
  return (
    <>
      <p className="muted">
        average {level(base, scale)} → this answer {level(output, scale)}
        {contributions.of !== null && ` for ${String(contributions.of)}`}, {contributions.method} over{' '}
        {number(contributions.background)} training rows
      </p>
      <ol className={classes['bars']} aria-label="What moved the answer">
        {shown.map(({ name, value, contribution }) => (
          <li key={name}>
            <span className={classes['name']} title={`${name} = ${String(value ?? 'missing')}`}>
              <b>{name}</b> = {value === null ? 'missing' : String(value)}
            </span>
            <span className={classes['track']} aria-hidden="true">
              <span
                className={classes['bar']}
                data-up={contribution > 0 || undefined}
                data-down={contribution < 0 || undefined}
                style={{ width: `${(Math.abs(contribution) / longest) * 50}%` }}
              />
            </span>
            <span className={`${classes['amount']} num`} title={exact(contribution)}>
              {amount(contribution, scale)}
            </span>
          </li>
        ))}
      </ol>
      {features.length > SHOWN && (
        <p className="muted">{features.length - SHOWN} more columns mattered less than these.</p>
      )}
    </>
  );
}

const level = (value: number, scale: Scale): string =>
  scale === 'probability'
    ? percent(value)
    : scale === 'logit'
      ? percent(1 / (1 + Math.exp(-value)))
      : number(scale === 'log' ? Math.exp(value) : value);

/** With its sign: points of probability, log-odds, a factor, or the number itself. */
export function amount(contribution: number, scale: Scale): string {
  if (scale === 'log') return `×${number(Math.exp(contribution))}`;
  const sign = contribution > 0 ? '+' : '';
  if (scale === 'probability') return `${sign}${number(contribution * 100)} points`;
  return `${sign}${number(contribution)}${scale === 'logit' ? ' log-odds' : ''}`;
}
