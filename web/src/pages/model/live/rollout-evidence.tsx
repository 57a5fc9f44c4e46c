import { duration, interval, number, percent } from '../../../ui/format.ts';
import classes from './live.module.css';
import { type History, type Pairs, replayOf } from './rollout-steps.ts';

interface Line {
  readonly what: string;
  readonly replay: string;
  readonly shadow: string;
  readonly canary: string;
  readonly limit: string;
}

const NONE = '—';

/** What was seen of the new version against the champion, beside what would stop it. */
export function RolloutEvidence({ history }: { readonly history: History }) {
  const lines = linesOf(history);
  if (lines.length === 0) return <p className="muted">Nothing was seen of it yet.</p>;
  return (
    <section className={classes['scroll']} tabIndex={0} aria-label="Evidence of the rollout">
      <table className={classes['evidence']}>
        <thead>
          <tr>
            {['evidence', 'replay', 'shadow', 'canary', 'what decides'].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ what, replay, shadow, canary, limit }) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td className="tabular">{replay}</td>
              <td className="tabular">{shadow}</td>
              <td className="tabular">{canary}</td>
              <td>{limit}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function linesOf(history: History): readonly Line[] {
  const { rollout, limits } = history;
  const { evidence } = rollout;
  const replay = replayOf(history);
  if (!evidence && !replay) return [];
  const shadow = evidence && evidence.shadow.rows > 0 ? evidence.shadow : null;
  const canary = evidence && evidence.canary.challenger.units > 0 ? evidence.canary : null;
  const [ours, theirs] = [`v${rollout.version}`, rollout.fromVersion === null ? 'before' : `v${rollout.fromVersion}`];
  const ofPairs = (tell: (pairs: Pairs) => string) => ({
    replay: replay ? tell(replay) : NONE,
    shadow: shadow ? tell(shadow) : NONE,
  });
  return [
    {
      what: 'seen',
      ...ofPairs(({ rows, units }) => `${number(rows)} rows, ${number(units)} units`),
      canary: canary ? `${number(canary.challenger.units)} units, ${number(canary.champion.units)} beside` : NONE,
      limit: `goes on from ${limits.shadowUnits} units in shadow, ${limits.canaryUnits} in each canary step`,
    },
    {
      what: 'failed units',
      ...ofPairs(({ failedUnits }) => `${ours}: ${failedUnits.challenger}, ${theirs}: ${failedUnits.champion}`),
      canary: canary ? `${ours}: ${canary.challenger.failedUnits}, ${theirs}: ${canary.champion.failedUnits}` : NONE,
      limit: evidence
        ? `harm at most ${percent(Math.max(0, evidence.harm.above))} above ${theirs} over ${number(evidence.harm.units)} units; a step ends below ${percent(limits.harm)}`
        : `a step ends when harm is surely below ${percent(limits.harm)}`,
    },
    {
      what: 'evidence for failing more, e',
      ...ofPairs(({ eValue }) => number(eValue)),
      canary: canary ? number(canary.eValue) : NONE,
      limit: `rolled back at ${number(limits.shadowErrorsE)} on the same rows, ${number(limits.canaryErrorsE)} in the canary`,
    },
    {
      what: 'labels that differ',
      ...ofPairs(({ flips }) => `${percent(flips.share)} [${percent(flips.low)}, ${percent(flips.high)}]`),
      canary: NONE,
      limit: `rolled back when surely more than ${percent(limits.flips)}`,
    },
    {
      what: `score of ${ours} less ${theirs}`,
      ...ofPairs(({ difference }) => interval(difference.mean, difference.low, difference.high)),
      canary: NONE,
      limit: 'no harm by itself: the gate judged quality',
    },
    {
      what: 'scores',
      ...ofPairs(({ scores }) => rangeOf(scores.challenger)),
      canary: canary ? rangeOf(canary.challenger.scores) : NONE,
      limit: 'rolled back when they are all the same and those before were not',
    },
    {
      what: 'latency, half were faster',
      ...ofPairs(
        ({ latencyMsP50 }) => `${duration(latencyMsP50.challenger)}, ${duration(latencyMsP50.champion)} before`,
      ),
      canary: canary
        ? `${duration(canary.challenger.latencyMsP50)}, ${duration(canary.champion.latencyMsP50)} beside`
        : NONE,
      limit: `rolled back when surely ${limits.slowerTimes} times and ${limits.slowerMs} ms slower in the canary`,
    },
  ];
}

const rangeOf = ({ min, max, distinct }: Pairs['scores']['champion']): string =>
  min === null ? NONE : `${number(min)} to ${number(max)}, ${distinct >= 32 ? 'many' : distinct} values`;
