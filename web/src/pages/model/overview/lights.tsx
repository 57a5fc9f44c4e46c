import { evidenceOf, healthOf, LIGHTS, type LightName } from '../../../domain/lights.tsx';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { placeOfIncident } from '../../../domain/places.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Status } from '../../../ui/status.tsx';
import classes from './overview.module.css';

const WORDS = { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' } as const;

/** The five lights, each with the sentence that its numbers make, leading to its evidence. */
export function LightTable({ model }: { readonly model: ModelStatus }) {
  return (
    <Part title="Lights">
      <ul className={classes['lights']}>
        {LIGHTS.map((name) => (
          <LightRow key={name} name={name} model={model} />
        ))}
      </ul>
    </Part>
  );
}

function LightRow({ name, model }: { readonly name: LightName; readonly model: ModelStatus }) {
  const { state, sentence } = model.lights[name];
  const incident = model.incidents.find((each) => each.light === name);
  return (
    <li className={classes['light']}>
      <span className={classes['name']}>{name}</span>
      <Status health={healthOf(state)} word={WORDS[state]} />
      <span className={classes['sentence']}>{sentence}</span>
      {incident ? (
        <GoLink to={placeOfIncident(incident.number)}>incident {incident.number}</GoLink>
      ) : (
        <GoLink to={evidenceOf(model.name, name)} aria-label={`evidence of ${name}`}>
          evidence
        </GoLink>
      )}
    </li>
  );
}
