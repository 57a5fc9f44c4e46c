import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { ShownOnce } from './shown-once.tsx';

type Token = AnswerOf<'GET /tokens'>['items'][number];

const COLUMNS: readonly Column<Token>[] = [
  { id: 'name', header: 'for', value: ({ name }) => name },
  { id: 'user', header: 'rights of', value: ({ user }) => user },
  {
    id: 'since',
    header: 'since',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
  {
    id: 'until',
    header: 'until',
    value: ({ expiresAt }) => expiresAt,
    cell: ({ expiresAt }) => (expiresAt === null ? 'it is revoked' : <EventTime at={expiresAt} />),
  },
  { id: 'revoke', header: 'revoke', value: () => null, cell: (token) => <Revoke token={token} /> },
];

/** Live tokens of people; the token itself is shown once, when it is made. */
export function Tokens() {
  const { data, error, refetch } = useGet('GET /tokens');
  const people = useGet('GET /users');
  const names = (people.data?.items ?? []).map(({ name }) => name);
  return (
    <Part title="Tokens" tools={<CreateToken names={names} />}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={2} />
      ) : data.items.length === 0 ? (
        <Empty>No token of a person. Build servers and notebooks elsewhere get one each.</Empty>
      ) : (
        <Table label="Tokens" rows={data.items} columns={COLUMNS} rowId={({ id }) => id} />
      )}
    </Part>
  );
}

const GATEWAY = ' gateway';

function CreateToken({ names }: { readonly names: readonly string[] }) {
  const [name, setName] = useState('');
  const [chosen, setUser] = useState('');
  const [days, setDays] = useState('');
  const [token, setToken] = useState<string>();
  const create = useChange('POST /tokens');
  const user = chosen || (names[0] ?? GATEWAY);
  const isDays = days === '' || (Number(days) > 0 && Number(days) <= 3_650);
  return (
    <>
      <Confirm
        verb="Create a token"
        consequence={
          user === GATEWAY
            ? 'A gateway elsewhere hands in predictions and asks what to serve with it, and can do nothing else.'
            : `Whoever has it may do what ${user} may do, until it expires or is revoked.`
        }
        blocked={name.trim() === '' || !isDays}
        act={async () => {
          const of = user === GATEWAY ? { gateway: true } : { user };
          const until = days === '' ? {} : { days: Number(days) };
          const answer = await create.mutateAsync({ body: { name: name.trim(), ...of, ...until } });
          setToken(answer.token);
          setName('');
        }}
      >
        <TextInput
          label="What it is for"
          size="xs"
          placeholder="ci"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label="Rights of"
          size="xs"
          data={[...names, { value: GATEWAY, label: 'a gateway elsewhere' }]}
          value={user}
          onChange={(event) => setUser(event.currentTarget.value)}
        />
        <TextInput
          label="Days until it expires"
          description="Empty: never."
          size="xs"
          inputMode="numeric"
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
          error={!isDays && 'A number from 1 to 3650.'}
        />
      </Confirm>
      <ShownOnce token={token} onClose={() => setToken(undefined)} />
    </>
  );
}

function Revoke({ token: { id, name, user } }: { readonly token: Token }) {
  const revoke = useChange('DELETE /tokens/:id');
  return (
    <Confirm
      verb="Revoke"
      compact
      title={`Revoke the token “${name}”`}
      danger
      consequence={`Whatever uses it (${user ?? 'nobody'}: ${name}) is refused within two seconds. It cannot be brought back.`}
      act={() => revoke.mutateAsync({ params: { id } })}
    />
  );
}
