import { Select } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useGet } from '../../../api/queries.ts';
import { Lineage } from '../../../domain/lineage.tsx';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { placeOfModel, placeOfVersion } from '../../../domain/places.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { DoButton } from '../actions/do.tsx';
import { useModel, useModelName } from '../layout.tsx';
import { Approval, Decide } from './approval.tsx';
import { Code } from './code.tsx';
import { Compare } from './compare.tsx';
import { VersionFacts } from './facts.tsx';
import { Files } from './files.tsx';
import { GatePart } from './gate.tsx';
import { ParityPart, SignaturePart } from './signature.tsx';
import { usePrevious, useVersions } from './use-versions.ts';
import { stageOf, type Version, verdictsOf } from './verdict.ts';
import classes from './versions.module.css';

/** One version whole: verdict, gate, what it was made of, its files; and against another one. */
export default function VersionPage() {
  const name = useModelName();
  const { version } = useParams({ strict: false }) as { version: string };
  const { data, error, refetch } = useGet('GET /models/:model/versions/:version', { params: { model: name, version } });
  useAnchor(data !== undefined);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  // The version before stays on the screen only until it is clear that another one was asked for.
  if (!data || (/^v?\d+$/.test(version) && data.version !== Number(version.replace('v', '')))) return <Rows />;
  return <One key={data.id} version={data} />;
}

/** The part that the address names is there only once the version is. */
function useAnchor(isThere: boolean): void {
  useEffect(() => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (isThere && id !== '') document.getElementById(id)?.scrollIntoView();
  }, [isThere]);
}

function One({ version }: { readonly version: Version }) {
  const model = useModel();
  const [other] = useViewState('with');
  return (
    <div className={classes['parts']}>
      <Head version={version} model={model} />
      <VerdictStrip version={version} />
      {version.approval === 'waiting' && <Approval version={version} />}
      {other !== '' && <Compare version={version} other={other} />}
      <GatePart version={version} />
      <Part title="From data to endpoint">
        <Lineage version={version} endpoint={endpointOf(version, model)} />
      </Part>
      <div className={classes['two']}>
        <div className={classes['parts']}>
          {version.approval !== 'waiting' && <Approval version={version} />}
          <ParityPart version={version} />
        </div>
        <VersionFacts version={version} />
      </div>
      <SignaturePart version={version} />
      <Files version={version} />
      <Code version={version} />
    </div>
  );
}

/** The endpoint, where this version answers or is being tried. */
const endpointOf = ({ version }: Version, model: ModelStatus | undefined): string | null =>
  model && (model.live.some((each) => each.version === version) || model.rollout?.version === version)
    ? model.endpoint
    : null;

function Head({ version, model }: { readonly version: Version; readonly model: ModelStatus | undefined }) {
  const previous = usePrevious(model?.endpoint ?? null);
  const stage = stageOf(version, model, previous);
  return (
    <header className={classes['head']}>
      <GoLink to={placeOfModel(version.model, 'versions')}>All versions</GoLink>
      <h2>v{version.version}</h2>
      {stage.map((word) => (
        <span key={word} className={word === 'REHEARSAL' ? undefined : 'muted'}>
          {word === 'REHEARSAL' ? <strong>{word}</strong> : word}
        </span>
      ))}
      <div className={classes['tools']}>
        <CompareWith version={version} />
        <Tools version={version} model={model} />
      </div>
    </header>
  );
}

function Tools({ version, model }: { readonly version: Version; readonly model: ModelStatus | undefined }) {
  if (version.approval === 'waiting') return <Decide version={version.version} />;
  const isLive = model?.version === version.version;
  if (isLive) return <DoButton what="rollback">Roll back</DoButton>;
  if (version.approval !== 'approved' || version.draft || version.rehearsal !== null) return null;
  return (
    <DoButton what="deploy" more={{ deploy: String(version.version) }}>
      Deploy v{version.version}
    </DoButton>
  );
}

function CompareWith({ version }: { readonly version: Version }) {
  const { versions } = useVersions(version.model);
  const [other, compare] = useViewState('with');
  const others = (versions ?? []).filter((each) => each.version !== version.version);
  if (others.length === 0) return null;
  return (
    <Select
      size="xs"
      w={170}
      aria-label="Compare with"
      placeholder="Compare with …"
      searchable={others.length > 12}
      clearable
      data={others.map((each) => ({
        value: String(each.version),
        label: `v${each.version}${each.aliases.includes('champion') ? ' champion' : ''}`,
      }))}
      value={other === '' ? null : other}
      onChange={(next) => compare(next ?? undefined)}
    />
  );
}

function VerdictStrip({ version }: { readonly version: Version }) {
  const here = placeOfVersion(version.model, version.version);
  return (
    <nav className={classes['strip']} aria-label={`Verdict on v${version.version}`}>
      {verdictsOf(version).map(({ name, health, word, says }) => (
        <GoLink
          key={name}
          to={`${here}${location.search}#${name}`}
          className={classes['verdict']}
          title={says}
          onClick={() => document.getElementById(name)?.scrollIntoView()}
        >
          <span className={classes['verdictHead']}>
            <span>{name}</span>
            <Status health={health} word={word} />
          </span>
          <span className={classes['says']}>{says}</span>
        </GoLink>
      ))}
    </nav>
  );
}
