/** Where something is shown: a path of ours, and what stands behind its question mark. */
export interface Place {
  readonly to: string;
  readonly search?: Readonly<Record<string, string>>;
}

const part = encodeURIComponent;

export const placeOfModel = (model: string, tab = ''): Place => ({ to: `/m/${part(model)}${tab && `/${tab}`}` });

export const placeOfVersion = (model: string, version: number | string): Place => ({
  ...placeOfModel(model, 'versions'),
  search: { version: String(version) },
});

export const placeOfRun = (pipeline: string, run: string): Place => ({
  ...placeOfModel(pipeline, 'pipeline'),
  search: { run },
});

export const placeOfIncident = (number: number | string): Place => ({ to: `/i/${number}` });

/** Why of anything that has an id: `churn@v7`, a run, `RUN/STEP`, a prediction. An incident has its own page. */
export const placeOfWhy = (id: string): Place => (/^\d+$/.test(id) ? placeOfIncident(id) : { to: `/why/${part(id)}` });

/** The page of what a command of ours shows; `subject` is what it was said of. undefined where there is none. */
export function placeOfCommand(command: string, subject = ''): Place | undefined {
  const words = command.split(' ').slice(1);
  const [verb = '', second = '', third = ''] = words;
  const [model = '', version] = (words.find((word) => word.includes('@v')) ?? second).split('@v');
  switch (verb) {
    case 'why':
    case 'ack':
    case 'resolve':
      return placeOfWhy(second);
    case 'approve':
    case 'reject':
      return placeOfVersion(model, version ?? '');
    case 'models':
      return version === undefined ? { to: '/models' } : placeOfVersion(model, version);
    case 'runs':
    case 'logs':
      return placeOfLog(second === 'show' ? third : second, subject);
    case 'data':
      return third === '' ? { to: '/data' } : placeOfData(third);
    case 'rollout':
    case 'fallback':
    case 'rollback':
      return placeOfModel(subject.split('@v')[0] || second, 'live');
    case 'monitor':
      return placeOfModel(second, 'monitor');
    case 'labels':
      return placeOfModel(third, 'monitor');
    case 'resume':
    case 'hold':
      return placeOfModel(second);
    case 'rehearse':
      return placeOfWhy(third);
    case 'config':
      return subject === '' ? undefined : placeOfModel(subject, 'pipeline');
    case 'alerts':
      return { to: '/activity', search: { kind: 'incident' } };
    case 'users':
    case 'tokens':
    case 'doctor':
      return { to: '/settings' };
    default:
      return undefined;
  }
}

function placeOfData(reference: string): Place {
  const [name = '', version] = reference.split('@v');
  return { to: `/data/${part(name)}`, ...(version && { search: { version } }) };
}

/** A run's short id opens no page of its own, but says why by it. */
const placeOfLog = (id: string, subject: string): Place =>
  id.length > 12 && subject !== '' ? placeOfRun(subject.split('@v')[0]!, id) : placeOfWhy(id);
