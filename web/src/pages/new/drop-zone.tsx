import { Button, Progress } from '@mantine/core';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { Refusal } from '../../ui/confirm.tsx';
import { bytes } from '../../ui/format.ts';
import classes from './drop-zone.module.css';
import { filesOfDrop, filesOfInput, type Picked } from './files.ts';
import { type Sending, sendFiles } from './send.ts';

interface DropZoneProps {
  readonly children: ReactNode;
  /** The drop that wants more files; a new one where absent. */
  readonly drop?: string;
  readonly onSent: (drop: string) => void;
  /** Not what the page is for. */
  readonly secondary?: boolean;
}

/** Takes files and folders, by dropping or by choosing, and sends them. */
export function DropZone({ children, drop, onSent, secondary }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [sending, setSending] = useState<Sending | null>(null);
  const [error, setError] = useState<unknown>(null);
  const take = async (picked: readonly Picked[]): Promise<void> => {
    setError(null);
    try {
      if (picked.length === 0) throw new Error('There is no file in it that counts: hidden files are left out.');
      onSent(await sendFiles(picked, drop, setSending));
    } catch (caught) {
      setError(caught);
    } finally {
      setSending(null);
    }
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void filesOfDrop(event.dataTransfer).then(take, setError);
  };
  return (
    <section
      aria-label="Drop files here"
      className={classes['zone']}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      {children}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="files to send"
        onChange={(event) => {
          const picked = filesOfInput(event.currentTarget.files);
          event.currentTarget.value = '';
          void take(picked);
        }}
      />
      <Button
        size="xs"
        variant={secondary ? 'default' : 'filled'}
        loading={sending !== null}
        onClick={() => input.current?.click()}
      >
        Choose files
      </Button>
      {sending && <SendingLine {...sending} />}
      {error !== null && <Refusal error={error} />}
    </section>
  );
}

function SendingLine({ path, sent, sizeBytes }: Sending) {
  return (
    <div className={classes['sending']} role="status">
      <span className="mono">{path}</span>
      <span className="num">
        {bytes(sent)} of {bytes(sizeBytes)}
      </span>
      <Progress value={sizeBytes === 0 ? 100 : (100 * sent) / sizeBytes} aria-label={`${path} sent`} />
    </div>
  );
}
