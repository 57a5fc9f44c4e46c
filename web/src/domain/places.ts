/** Addresses of the UI, as `GoLink` and tables take them: where a thing of the domain is shown. */
const part = encodeURIComponent;

export const placeOfModel = (model: string, tab = ''): string => `/m/${part(model)}${tab && `/${tab}`}`;

export const placeOfVersion = (model: string, version: number | string): string =>
  placeOfModel(model, `versions/${part(version)}`);

export const placeOfRun = (pipeline: string, run: string): string =>
  `${placeOfModel(pipeline, 'pipeline')}?run=${part(run)}`;

export const placeOfIncident = (number: number | string): string => `/i/${number}`;

export const placeOfData = (name: string, version?: number | string): string =>
  `/data/${part(name)}${version === undefined ? '' : `?version=${part(version)}`}`;

/** Why of anything that has an id: `churn@v7`, a run, `RUN/STEP`, a prediction. An incident has its own page. */
export const placeOfWhy = (id: string): string => (/^\d+$/.test(id) ? placeOfIncident(id) : `/why/${part(id)}`);

/** The page of what a command of ours shows; `subject` is what it was said of. undefined where there is none. */
export function placeOfCommand(command: string, subject = ''): string | undefined {
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
      return version === undefined ? '/models' : placeOfVersion(model, version);
    case 'runs':
    case 'logs':
      return placeOfLog(second === 'show' ? third : second, subject);
    case 'data':
      return third === '' ? '/data' : placeOfReference(third);
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
      return '/activity?kind=incident';
    case 'users':
    case 'tokens':
    case 'doctor':
      return '/settings';
    default:
      return undefined;
  }
}

function placeOfReference(reference: string): string {
  const [name = '', version] = reference.split('@v');
  return placeOfData(name, version);
}

/** A run's short id opens no page of its own, but says why by it. */
const placeOfLog = (id: string, subject: string): string =>
  id.length > 12 && subject !== '' ? placeOfRun(subject.split('@v')[0]!, id) : placeOfWhy(id);
