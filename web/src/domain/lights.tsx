import type { AnswerOf } from '../api/routes.ts';
import { GoLink } from '../ui/link.tsx';
import { type Health, Status } from '../ui/status.tsx';
import classes from './lights.module.css';

import { placeOfModel } from './places.ts';

export type Lights = AnswerOf<'GET /status'>['models'][number]['lights'];
export type LightName = keyof Lights;
type Light = Lights[LightName];

export const LIGHTS = ['service', 'data', 'predictions', 'performance', 'business'] as const;
const ORDER: readonly Health[] = ['bad', 'watch', 'running', 'unknown', 'good'];

const HEALTH: Readonly<Record<Light['state'], Health>> = { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' };
/** What the state is called, beside its shape and colour. */
const WORDS: Readonly<Record<Light['state'], string>> = { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' };

export const healthOf = (state: Light['state']): Health => HEALTH[state];

/** Sorts the worst first. */
export const rankOf = (health: Health): number => ORDER.indexOf(health);

/** The light that a row is as: its worst one. One that nobody configured says nothing of the model. */
export function worstLight(lights: Lights): { readonly name: LightName; readonly health: Health } {
  const judged = LIGHTS.filter((name) => lights[name].state !== 'grey');
  const all = (judged.length > 0 ? judged : LIGHTS).map((name) => ({ name, health: healthOf(lights[name].state) }));
  return all.reduce((a, b) => (rankOf(b.health) < rankOf(a.health) ? b : a));
}

/** A row is as its worst light. */
export const worst = (lights: Lights): Health => worstLight(lights).health;

const saysOf = (name: LightName, { state, sentence }: Light): string => `${name}: ${WORDS[state]}. ${sentence}`;

/** The five lights of a model, the only words for health anywhere. */
export function FiveLights({ lights, iconOnly = false }: { readonly lights: Lights; readonly iconOnly?: boolean }) {
  return (
    <span className={classes['lights']}>
      {LIGHTS.map((name) => (
        <Status
          key={name}
          health={healthOf(lights[name].state)}
          word={iconOnly ? `${name}: ${WORDS[lights[name].state]}` : name}
          iconOnly={iconOnly}
          title={saysOf(name, lights[name])}
        />
      ))}
    </span>
  );
}

interface LightLinkProps {
  readonly model: string;
  readonly name: LightName;
  readonly light: Light;
}

/** One light of a table; it leads to its evidence. */
export function LightLink({ model, name, light }: LightLinkProps) {
  return (
    <GoLink to={evidenceOf(model, name)} className={classes['light']} title={saysOf(name, light)}>
      <Status health={healthOf(light.state)} word={`${name}: ${WORDS[light.state]}`} iconOnly />
    </GoLink>
  );
}

/** The five lights with their words, each leading to its evidence. */
export function LightLinks({ model, lights }: { readonly model: string; readonly lights: Lights }) {
  return (
    <span className={classes['lights']}>
      {LIGHTS.map((name) => (
        <GoLink key={name} to={evidenceOf(model, name)} title={saysOf(name, lights[name])}>
          <Status health={healthOf(lights[name].state)} word={name} />
        </GoLink>
      ))}
    </span>
  );
}

export const evidenceOf = (model: string, name: LightName): string =>
  name === 'service' ? placeOfModel(model, 'live') : `${placeOfModel(model, 'monitor')}?light=${name}`;

/** Five equal columns, each light above its word: what fits a phone. */
export function LightStrip({ model, lights }: { readonly model: string; readonly lights: Lights }) {
  return (
    <ul className={classes['strip']} aria-label={`lights of ${model}`}>
      {LIGHTS.map((name) => (
        <li key={name}>
          <GoLink to={evidenceOf(model, name)} className={classes['cell']} title={saysOf(name, lights[name])}>
            <Status health={healthOf(lights[name].state)} word={WORDS[lights[name].state]} iconOnly />
            <span>{name}</span>
          </GoLink>
        </li>
      ))}
    </ul>
  );
}
