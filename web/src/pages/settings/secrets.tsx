import { PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useChange, useGet } from '../../api/queries.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import classes from './settings.module.css';

const NAME = /^[A-Z][A-Z0-9_]{0,99}$/;

/** Names only: a value can be set again, never read. */
export function Secrets() {
  const { data, error, refetch } = useGet('GET /secrets');
  return (
    <Part title="Secrets" tools={<SetSecret />}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={2} />
      ) : data.items.length === 0 ? (
        <Empty>No secret is set. levain.yaml names one as $NAME.</Empty>
      ) : (
        <ul className={classes['list']}>
          {data.items.map((name) => (
            <li key={name}>
              <code>{name}</code>
              <span className={classes['buttons']}>
                <SetSecret name={name} />
                <RemoveSecret name={name} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

/** A new one, or the value of one that there is. */
function SetSecret({ name: known }: { readonly name?: string }) {
  const [typed, setName] = useState('');
  const [value, setValue] = useState('');
  const set = useChange('PUT /secrets/:name');
  const name = known ?? typed.trim();
  const isName = NAME.test(name);
  return (
    <Confirm
      verb={known ? 'Change' : 'Set a secret'}
      compact={known !== undefined}
      title={known ? `Change ${known}` : 'Set a secret'}
      consequence="What names it in levain.yaml reads the new value from now on. It is kept encrypted and cannot be read back."
      blocked={!isName || value === ''}
      act={async () => {
        await set.mutateAsync({ params: { name }, body: { value } });
        setName('');
        setValue('');
      }}
    >
      {!known && (
        <TextInput
          label="Name"
          size="xs"
          placeholder="SLACK_URL"
          value={typed}
          onChange={(event) => setName(event.currentTarget.value)}
          error={typed !== '' && !isName && 'Capital letters, digits and “_”, a letter first.'}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      <PasswordInput
        label="Value"
        size="xs"
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        autoComplete="new-password"
        maxLength={65_536}
      />
    </Confirm>
  );
}

function RemoveSecret({ name }: { readonly name: string }) {
  const remove = useChange('DELETE /secrets/:name');
  return (
    <Confirm
      verb="Remove"
      compact
      title={`Remove ${name}`}
      danger
      consequence={`Steps, sources and messages that name $${name} fail from now on. It cannot be brought back.`}
      act={() => remove.mutateAsync({ params: { name } })}
    />
  );
}
