import { ApprovalSentence } from '../../../domain/decisions.tsx';
import { Facts } from '../../../ui/facts.tsx';
import { Part } from '../../../ui/page.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import { DoButton } from '../actions/do.tsx';
import type { Version } from './verdict.ts';
import classes from './versions.module.css';

/** What one approves, in one sentence, and who decided when; where it waits, the decision itself. */
export function Approval({ version }: { readonly version: Version }) {
  const { approval, decision } = version;
  if (approval === 'waiting') return <Waiting version={version} />;
  return (
    <div id="approval">
      <Part title="Approval">
        {decision === null ? (
          <p className="muted">Nothing asked for an approval of v{version.version}, and nobody gave one.</p>
        ) : (
          <Facts
            facts={[
              ['decision', approval.replace('_', ' ')],
              ['by', decision.by === 'levain' ? 'levain, by the rules of the file' : decision.by],
              ['when', <RelativeTime key="when" at={decision.at} />],
              ['note', decision.reason || '—'],
              [
                'covers',
                <span key="covers" title={decision.subjectDigest}>
                  model, data, environment and verdict as of then ({decision.subjectDigest.slice(0, 7)}); a change of
                  any voids it
                </span>,
              ],
            ]}
          />
        )}
      </Part>
    </div>
  );
}

function Waiting({ version }: { readonly version: Version }) {
  const { decision, model, version: n } = version;
  return (
    <section id="approval" className={classes['ask']} aria-label={`Approval of v${n}`}>
      <h2>v{n} waits for approval</h2>
      <div className={classes['text']}>
        <ApprovalSentence model={model} version={n} />
      </div>
      {decision && (
        <p className="muted">
          It {decision.reason}; since <RelativeTime at={decision.at} />
          {decision.dueAt !== null && (
            <>
              . Until <RelativeTime at={decision.dueAt} />, then{' '}
              {decision.atDeadline === 'approve' ? 'it is approved by itself' : 'it is rejected and the champion stays'}
            </>
          )}
          .
        </p>
      )}
      <span style={{ display: 'flex', gap: 8 }}>
        <Decide version={n} />
      </span>
    </section>
  );
}

/** The decision; its dialog has an address of its own. */
export function Decide({ version }: { readonly version: number }) {
  const more = { which: String(version) };
  return (
    <>
      <DoButton what="approve" more={more} primary>
        Approve
      </DoButton>
      <DoButton what="reject" more={more}>
        Reject
      </DoButton>
    </>
  );
}
