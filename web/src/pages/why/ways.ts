import type { AnswerOf } from '../../api/routes.ts';
import { placeOfCommand, placeOfIncident, placeOfModel, placeOfRun, placeOfVersion } from '../../domain/places.ts';
import { shortId } from '../../ui/format.ts';

type Why = AnswerOf<'GET /why/:id'>;

const WHY = /^levain why (\S+)$/;

/** Ids whose reasons are reasons of this one. */
export const reasonsOf = (why: Why): readonly string[] =>
  why.next.flatMap((command) => WHY.exec(command)?.[1] ?? []).filter((id) => !isSame(id, why.id));

/** Whether two ids name one thing: commands write the last characters of long ones. */
export const isSame = (a: string, b: string): boolean =>
  a === b || (a.length >= 7 && b.endsWith(a)) || (b.length >= 7 && a.endsWith(b));

/** Commands that lead on to something else than a reason. */
export const otherWays = (why: Why): readonly { readonly command: string; readonly place: string | undefined }[] =>
  why.next
    .filter((command) => !WHY.test(command))
    .map((command) => ({ command, place: placeOfCommand(command, subjectOf(why)) }));

/** Long ids by their end; names as they are. */
export const nameOf = ({ id }: Pick<Why, 'id'>): string => (/^[0-9a-f-]{36}$/.test(id) ? shortId(id) : id);

/** What an id is of, as far as its form tells. */
export function kindOfId(id: string): string {
  if (/^\d+$/.test(id)) return 'incident';
  if (id.includes('@v')) return 'version';
  if (/^\d+\/[a-z]+\./.test(id)) return 'alert';
  if (id.includes('/')) return 'step';
  return id.length === 36 ? '' : 'run';
}

/** The page of the thing itself. */
export function placeOfThing(why: Why): string | undefined {
  const data = why.data as {
    readonly run?: { readonly id: string; readonly pipeline: string } | string;
    readonly rollout?: { readonly model: string };
    readonly incident?: number | null;
    readonly prediction?: { readonly model: string };
  };
  switch (why.kind) {
    case 'incident':
      return placeOfIncident(why.id);
    case 'alert':
      return placeOfIncident(why.id.split('/')[0]!);
    case 'version':
      return placeOfVersion(why.id.split('@v')[0]!, why.id.split('@v')[1] ?? '');
    case 'run':
      return typeof data.run === 'object' ? placeOfRun(data.run.pipeline, data.run.id) : undefined;
    case 'rollout':
      return data.rollout && placeOfModel(data.rollout.model, 'live');
    case 'rehearsal':
      return data.incident == null ? undefined : placeOfIncident(data.incident);
    case 'prediction':
      return (
        data.prediction && `${placeOfModel(data.prediction.model, 'live')}?prediction=${encodeURIComponent(why.id)}`
      );
    default:
      return undefined;
  }
}

function subjectOf(why: Why): string {
  const data = why.data as { readonly run?: { readonly pipeline?: string }; readonly model?: string };
  return data.model ?? (typeof data.run === 'object' ? (data.run.pipeline ?? '') : '');
}
