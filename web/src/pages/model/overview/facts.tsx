import type { AnswerOf } from '../../../api/routes.ts';
import { type ModelStatus, Requests } from '../../../domain/model-facts.tsx';
import { placeOfModel, placeOfVersion } from '../../../domain/places.ts';
import { type Fact, Facts } from '../../../ui/facts.tsx';
import { count, exact, number, percent, signed } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Status } from '../../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import { gateHealth, metricWords } from '../versions/verdict.ts';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;

interface LiveFactsProps {
  readonly version: Version;
  readonly model: ModelStatus;
}

/** The live version at a glance; each number leads to where it is from. */
export function LiveFacts({ version, model }: LiveFactsProps) {
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <Facts facts={[...liveFacts(version, model), ...gateFacts(version), ...madeFacts(version)]} />
    </div>
  );
}

function liveFacts(version: Version, model: ModelStatus): readonly Fact[] {
  const { lastDeploy, traffic, labelCoverage, eventClock, endpoint } = model;
  return [
    [
      'live',
      <GoLink key="v" to={placeOfVersion(model.name, version.version)}>
        v{version.version}
      </GoLink>,
    ],
    [
      'last deploy',
      lastDeploy === null ? (
        '—'
      ) : (
        <span key="d">
          v{lastDeploy.version} {lastDeploy.state}, <RelativeTime at={lastDeploy.at} />
        </span>
      ),
    ],
    [
      'endpoint',
      endpoint === null ? (
        '—'
      ) : (
        <GoLink key="e" to={placeOfModel(model.name, 'live')}>
          {endpoint}
        </GoLink>
      ),
    ],
    [
      'requests',
      <GoLink key="r" to={placeOfModel(model.name, 'live')}>
        <Requests traffic={traffic} />
      </GoLink>,
    ],
    [
      'labelled',
      <span key="l" title="predictions of the last 14 days of event time that have a label">
        <GoLink to={placeOfModel(model.name, 'monitor')}>{percent(labelCoverage)}</GoLink>
      </span>,
    ],
    ['event clock', <EventTime key="c" at={eventClock} />],
  ];
}

function gateFacts({ gate, model, version }: Version): readonly Fact[] {
  if (!gate) return [['gate', 'has not run']];
  const { difference } = gate;
  return [
    [
      'gate',
      <GoLink key="g" to={`${placeOfVersion(model, version)}#gate`}>
        <Status health={gateHealth(gate.outcome)} word={gate.outcome.replace('_', ' ')} />
      </GoLink>,
    ],
    [
      metricWords(gate),
      <span key="m" title={exact(gate.challenger)}>
        {number(gate.challenger)} on {count(gate.rows)} rows
      </span>,
    ],
    [
      'better by',
      difference === null ? '—' : `${signed(difference.mean)} [${signed(difference.low)}, ${signed(difference.high)}]`,
    ],
    [
      'against',
      gate.championVersion === null ? (
        'the base rate'
      ) : (
        <GoLink key="a" to={placeOfVersion(model, gate.championVersion)}>
          v{gate.championVersion}
        </GoLink>
      ),
    ],
  ];
}

function madeFacts({ parity, trainingRows, engine, decision, approval }: Version): readonly Fact[] {
  return [
    ['parity', parity ? `at most ${number(parity.maxDifference)} off on ${count(parity.rows)} rows` : '—'],
    [
      'training rows',
      <span key="t" title={exact(trainingRows)}>
        {count(trainingRows)}
      </span>,
    ],
    ['engine', engine === null ? '—' : engine.kind === 'levain' ? 'our own' : 'Python worker'],
    ['approved by', decision === null ? approval.replace('_', ' ') : decision.by],
  ];
}
