import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { ShownOnce } from './shown-once.tsx';

type Person = AnswerOf<'GET /users'>['items'][number];
type Role = Person['role'];

const ROLES: readonly { readonly value: Role; readonly label: string }[] = [
  { value: 'viewer', label: 'viewer: reads' },
  { value: 'editor', label: 'editor: runs, deploys, resolves' },
  { value: 'approver', label: 'approver: approves too' },
  { value: 'admin', label: 'admin: users, secrets, tokens too' },
];

const COLUMNS: readonly Column<Person>[] = [
  { id: 'name', header: 'name', value: ({ name }) => name },
  { id: 'role', header: 'role', value: ({ role }) => role },
  {
    id: 'since',
    header: 'since',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
];

export function People() {
  const { data, error, refetch } = useGet('GET /users');
  return (
    <Part title="People" tools={data && <AddPerson isFirst={data.items.length === 0} />}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={2} />
      ) : data.items.length === 0 ? (
        <Empty>Nobody yet: whoever reaches this server may do everything. The first one becomes administrator.</Empty>
      ) : (
        <Table label="People" rows={data.items} columns={COLUMNS} rowId={({ id }) => id} />
      )}
    </Part>
  );
}

function AddPerson({ isFirst }: { readonly isFirst: boolean }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(isFirst ? 'admin' : 'viewer');
  const [token, setToken] = useState<string>();
  const add = useChange('POST /users');
  return (
    <>
      <Confirm
        verb="Add a person"
        consequence={
          isFirst
            ? 'From then on every request needs a token, also those of this page: log in with the token that is shown next.'
            : 'A token of theirs is shown once, to hand over.'
        }
        blocked={name.trim() === ''}
        act={async () => {
          const answer = await add.mutateAsync({ body: { name: name.trim(), role: isFirst ? 'admin' : role } });
          setToken(answer.token);
          setName('');
        }}
      >
        <TextInput
          label="Name"
          description="Lower-case letters, digits, “.”, “_” or “-”."
          size="xs"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
        <NativeSelect
          label="Role"
          size="xs"
          data={isFirst ? ROLES.filter(({ value }) => value === 'admin') : [...ROLES]}
          value={isFirst ? 'admin' : role}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
        />
      </Confirm>
      <ShownOnce token={token} onClose={() => setToken(undefined)} />
    </>
  );
}
