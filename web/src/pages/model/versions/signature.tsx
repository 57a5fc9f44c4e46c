import { Facts } from '../../../ui/facts.tsx';
import { count, exact, number } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { Metrics } from './metrics.tsx';
import type { Version } from './verdict.ts';
import classes from './versions.module.css';

type Input = NonNullable<Version['signature']>['inputs'][number];

const COLUMNS: readonly Column<Input>[] = [
  { id: 'name', header: 'column', value: ({ name }) => name },
  { id: 'type', header: 'type', value: ({ type }) => type },
  { id: 'required', header: 'required', value: ({ required }) => (required ? 'yes' : 'may be missing') },
];

/** What callers send, beside what its run measured. */
export function SignaturePart({ version }: { readonly version: Version }) {
  const { signature } = version;
  return (
    <div className={classes['two']}>
      <div id="signature">
        <Part title="Signature of raw rows">
          <Table
            label="Signature"
            rows={signature?.inputs ?? []}
            columns={COLUMNS}
            rowId={({ name }) => name}
            height={320}
            empty="No signature is known, so nothing can be served."
          />
        </Part>
      </div>
      <Metrics version={version} />
    </div>
  );
}

/** The proof that what serves answers as the training environment did. */
export function ParityPart({ version: { parity } }: { readonly version: Version }) {
  return (
    <div id="parity">
      <Part title="Parity">
        {parity === null ? (
          <p className="muted">No golden rows were answered: this version has no servable form.</p>
        ) : (
          <>
            <p className={classes['text']}>
              Golden rows were answered in the training environment and again by what serves. Up to 10⁻⁶ apart and no
              label flipped is the same.
            </p>
            <Facts
              facts={[
                ['golden rows', count(parity.rows)],
                [
                  'largest difference',
                  <span key="d" title={exact(parity.maxDifference)}>
                    {number(parity.maxDifference)}
                  </span>,
                ],
                ['labels that flip', count(parity.flips)],
              ]}
            />
          </>
        )}
      </Part>
    </div>
  );
}
