import { useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf, PredictionWhy } from '../../api/routes.ts';
import { ContributionBars } from '../../domain/contributions.tsx';
import { GoLink } from '../../ui/link.tsx';
import { Page, Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Reasons } from './reasons.tsx';
import { nameOf, otherWays, placeOfThing } from './ways.ts';
import classes from './why.module.css';

export type Why = AnswerOf<'GET /why/:id'>;

/** Why of whatever has this id: one paragraph, what moved a prediction, and the reasons behind the reason as a tree. */
export default function WhyPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data, error, refetch } = useGet('GET /why/:id', { params: { id } });
  if (!data)
    return (
      <Page
        title={
          <>
            Why <bdi>{id}</bdi>
          </>
        }
      >
        {error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={10} />}
      </Page>
    );
  const place = placeOfThing(data);
  return (
    <Page
      title={
        <>
          Why <span className="muted">{data.kind}</span> <bdi>{nameOf(data)}</bdi>
        </>
      }
      status={place && <GoLink to={place}>open the {data.kind}</GoLink>}
    >
      <p className={classes['answer']}>{data.answer}</p>
      {data.kind === 'prediction' && <Moved why={data.data as PredictionWhy} />}
      <Part title="Because of">
        <Reasons why={data} path={[]} isOpen />
      </Part>
      <Ways why={data} />
    </Page>
  );
}

function Moved({ why: { contributions, contributionsReason } }: { readonly why: PredictionWhy }) {
  return (
    <Part title="What moved the answer">
      <div className={classes['bars']}>
        {contributions ? (
          <ContributionBars contributions={contributions} />
        ) : (
          <p className="muted">{contributionsReason ?? 'No model answered, so nothing moved an answer.'}</p>
        )}
      </div>
    </Part>
  );
}

/** Where one goes on from here: pages of ours, and the same as JSON. */
function Ways({ why }: { readonly why: Why }) {
  const ways = otherWays(why);
  return (
    <Part title="See also">
      <ul className={classes['ways']}>
        {ways.map(({ command, place }) => (
          <li key={command}>
            {place === undefined ? (
              <code>{command}</code>
            ) : (
              <GoLink to={place}>{command.replace(/^levain /, '')}</GoLink>
            )}
          </li>
        ))}
        {why.links.map(({ what, url }) => (
          <li key={url}>
            <a href={url}>{what} as JSON</a>
          </li>
        ))}
      </ul>
    </Part>
  );
}
