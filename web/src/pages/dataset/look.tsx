import { Button, Code, Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { ConfirmDialog } from '../../ui/confirm.tsx';
import type { Uses } from './page.tsx';

interface Props {
  readonly name: string;
  readonly uses: Uses | undefined;
  readonly last: number | undefined;
  readonly onLooked: (version: number) => void;
}

/** Looks at the source now and checks the contract, as `levain data add` and `levain data check` do. */
export function Look({ name, uses, last, onLooked }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [chosen, choose] = useState<string | null>(null);
  const [told, setTold] = useState('');
  const queries = useQueryClient();
  const pipelines = uses?.pipelines ?? [];
  const pipeline = pipelines.find((each) => each.pipeline === chosen) ?? pipelines[0];
  const look = async (): Promise<void> => {
    if (!pipeline) return;
    const { text, folder } = await call('GET /pipelines/:name', { params: { name: pipeline.pipeline } });
    const { created, version } = await call('POST /datasets/:name/sync', { params: { name }, body: { text, folder } });
    setTold(
      `v${version.version}: ${created ? 'new' : 'the same files as before, no new version'}; contract ${version.state === 'ok' ? 'kept' : 'broken'}`,
    );
    await queries.invalidateQueries();
    onLooked(version.version);
  };
  if (uses && pipelines.length === 0) return null;
  return (
    <>
      <output className="muted" style={told === '' ? { display: 'none' } : undefined}>
        {told}
      </output>
      <Button size="xs" variant="default" disabled={!pipeline} onClick={() => setOpen(true)}>
        Look at the source
      </Button>
      {pipeline && (
        <ConfirmDialog
          verb="Look at the source"
          title={`Look at the source of ${name}`}
          isOpen={isOpen}
          onClose={() => setOpen(false)}
          consequence={
            <>
              <Code>{pipeline.from}</Code> in <Code>{pipeline.folder}</Code> is read. Files that are new make version v
              {(last ?? 0) + 1}, with its profile, and the contract of {pipeline.pipeline}’s applied file is checked; a
              broken one makes it refused, and no run uses it. A good new version starts the runs that wait for this
              data. The same files are the same version, checked again where the contract changed. Nothing is deleted.
            </>
          }
          act={look}
        >
          {pipelines.length > 1 && (
            <Select
              size="xs"
              label="By the file of"
              data={pipelines.map((each) => each.pipeline)}
              value={pipeline.pipeline}
              allowDeselect={false}
              onChange={choose}
            />
          )}
        </ConfirmDialog>
      )}
    </>
  );
}
