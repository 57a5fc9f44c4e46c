import type { AnswerOf } from '../api/routes.ts';
import { type Health, Status } from '../ui/status.tsx';
import classes from './lights.module.css';

export type Lights = AnswerOf<'GET /status'>['models'][number]['lights'];
type Light = Lights[keyof Lights];

const NAMES = ['service', 'data', 'predictions', 'performance', 'business'] as const;
const WORST: readonly Health[] = ['bad', 'watch', 'running', 'unknown', 'good'];

const HEALTH: Readonly<Record<Light['state'], Health>> = { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' };
/** What the state is called, beside its shape and colour. */
const WORDS: Readonly<Record<Light['state'], string>> = { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' };

export const healthOf = (state: Light['state']): Health => HEALTH[state];

/** A row is as its worst light. */
export const worst = (lights: Lights): Health =>
  WORST.find((health) => Object.values(lights).some((light: Light) => healthOf(light.state) === health)) ?? 'unknown';

/** The five lights of a model, the only words for health anywhere. */
export function FiveLights({ lights, iconOnly = false }: { readonly lights: Lights; readonly iconOnly?: boolean }) {
  return (
    <span className={classes['lights']}>
      {NAMES.map((name) => {
        const { state, sentence } = lights[name];
        return (
          <Status
            key={name}
            health={healthOf(state)}
            word={iconOnly ? `${name}: ${WORDS[state]}` : name}
            iconOnly={iconOnly}
            title={`${name}: ${WORDS[state]}. ${sentence}`}
          />
        );
      })}
    </span>
  );
}
