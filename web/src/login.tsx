import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useChange } from './api/queries.ts';
import classes from './login.module.css';
import { Refusal } from './ui/confirm.tsx';

type By = 'password' | 'token';

/** Above all else, in the browser's top layer: nothing behind it can be reached. */
export default function Login({ hasEnded }: { readonly hasEnded: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [by, setBy] = useState<By>('password');
  useEffect(() => {
    dialog.current?.showModal();
    document.title = 'Log in · Levain';
  }, []);
  return (
    <dialog
      ref={dialog}
      className={classes['login']}
      aria-labelledby="login"
      onCancel={(event) => event.preventDefault()}
    >
      <div className={classes['card']}>
        <h1 id="login">Log in to Levain</h1>
        <p className="muted">
          {hasEnded
            ? 'Your session has ended. The page is behind this, as you left it.'
            : 'This server has users. You then come to the page that you asked for.'}
        </p>
        <Form key={by} by={by} />
        <button type="button" className={classes['other']} onClick={() => setBy(by === 'token' ? 'password' : 'token')}>
          {by === 'token' ? 'Log in with name and password' : 'Log in with a token'}
        </button>
      </div>
    </dialog>
  );
}

function Form({ by }: { readonly by: By }) {
  const [user, setUser] = useState('');
  const [secret, setSecret] = useState('');
  const begin = useChange('POST /session');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (begin.isPending) return;
    const body = by === 'token' ? { token: secret.trim() } : { user: user.trim(), password: secret };
    begin.mutate({ body });
  };
  return (
    <form onSubmit={submit} className={classes['form']}>
      {by === 'password' && (
        <TextInput
          label="Name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          autoFocus
          value={user}
          onChange={(event) => setUser(event.currentTarget.value)}
        />
      )}
      <TextInput
        type="password"
        label={by === 'token' ? 'Token' : 'Password'}
        name="password"
        autoComplete={by === 'token' ? 'off' : 'current-password'}
        required
        withAsterisk={false}
        autoFocus={by === 'token'}
        value={secret}
        onChange={(event) => setSecret(event.currentTarget.value)}
        {...(by === 'token' && { description: 'As levain tokens create or levain users add showed it' })}
      />
      {begin.error && <Refusal error={begin.error} />}
      <Button type="submit" loading={begin.isPending}>
        Log in
      </Button>
    </form>
  );
}
