import { Button, Code, Select, SimpleGrid, Tabs, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Rows } from '../../ui/states.tsx';

type Input = NonNullable<AnswerOf<'GET /models/:model/versions/:version'>['signature']>['inputs'][number];

interface TryItProps {
  readonly model: string;
  readonly version: number;
  readonly endpoint: string;
  readonly url: string | null;
}

/** A form made of the signature, started with an answered row, and the same request for curl, Python and TypeScript. */
export function TryIt({ model, version, endpoint, url }: TryItProps) {
  const { data } = useGet('GET /models/:model/versions/:version', { params: { model, version } });
  const last = useGet('GET /predictions', { query: { endpoint, limit: 1 } as never });
  const inputs = data?.signature?.inputs;
  if (!inputs || !last.data) return <Rows count={4} />;
  const row = (last.data.items[0]?.features ?? {}) as Readonly<Record<string, unknown>>;
  return <Form key={version} inputs={inputs} row={row} endpoint={endpoint} url={url} />;
}

function Form({
  inputs,
  row,
  endpoint,
  url,
}: { readonly inputs: readonly Input[]; readonly row: Readonly<Record<string, unknown>> } & Pick<
  TryItProps,
  'endpoint' | 'url'
>) {
  const [values, setValues] = useState(() =>
    Object.fromEntries(inputs.map((input) => [input.name, toText(input, row[input.name])])),
  );
  const [answer, setAnswer] = useState('');
  const body = useMemo(
    () => JSON.stringify({ inputs: inputs.map((input) => toTensor(input, values[input.name] ?? '')) }),
    [inputs, values],
  );
  const address = `${url ?? 'http://127.0.0.1:4748'}/v2/models/${encodeURIComponent(endpoint)}/infer`;
  const ask = async (): Promise<void> => {
    setAnswer('…');
    try {
      const response = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      setAnswer(JSON.stringify(await response.json(), null, 2));
    } catch {
      setAnswer('The gateway does not answer to this page; the commands beside it work from a terminal.');
    }
  };
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <form
        style={{ display: 'grid', gap: 8, maxHeight: 420, overflowY: 'auto', paddingRight: 8 }}
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        {inputs.map((input) => (
          <Field
            key={input.name}
            input={input}
            value={values[input.name] ?? ''}
            onChange={(value) => setValues({ ...values, [input.name]: value })}
          />
        ))}
        <Button size="xs" type="submit" style={{ justifySelf: 'start' }}>
          Ask
        </Button>
      </form>
      <div style={{ minWidth: 0 }}>
        <Tabs defaultValue="curl">
          <Tabs.List>
            {['curl', 'python', 'typescript'].map((language) => (
              <Tabs.Tab key={language} value={language}>
                {language}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {Object.entries(snippets(address, body)).map(([language, text]) => (
            <Tabs.Panel key={language} value={language} pt="xs">
              <Code block style={{ maxHeight: 200 }}>
                {text}
              </Code>
            </Tabs.Panel>
          ))}
        </Tabs>
        {answer && (
          <Code block mt="sm" aria-live="polite" style={{ maxHeight: 220 }}>
            {answer}
          </Code>
        )}
      </div>
    </SimpleGrid>
  );
}

function Field({
  input,
  value,
  onChange,
}: {
  readonly input: Input;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const label = `${input.name} (${input.type})`;
  if (input.type === 'boolean')
    return (
      <Select
        size="xs"
        label={label}
        data={['true', 'false']}
        value={value}
        onChange={(next) => onChange(next ?? '')}
      />
    );
  return <TextInput size="xs" label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
}

const isNumber = ({ type }: Input): boolean => ['double', 'float', 'long', 'integer'].includes(type);

function toText(input: Input, value: unknown): string {
  if (value === null || value === undefined) return '';
  return input.type === 'datetime' && typeof value === 'number'
    ? new Date(value).toISOString().slice(0, 19)
    : String(value);
}

/** An empty field is a missing value. */
function toTensor(input: Input, text: string) {
  const datatype = isNumber(input) ? 'FP64' : input.type === 'boolean' ? 'BOOL' : 'BYTES';
  const value = text === '' ? null : isNumber(input) ? Number(text) : input.type === 'boolean' ? text === 'true' : text;
  return { name: input.name, shape: [1], datatype, data: [value] };
}

const snippets = (address: string, body: string) => ({
  curl: `curl -s ${address} \\\n  -H 'content-type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`,
  python: `import json, urllib.request\n\nbody = json.loads(r'''${body}''')\nrequest = urllib.request.Request("${address}", json.dumps(body).encode(), {"content-type": "application/json"})\nprint(json.load(urllib.request.urlopen(request)))`,
  typescript: `const answer = await fetch('${address}', {\n  method: 'POST',\n  headers: { 'content-type': 'application/json' },\n  body: JSON.stringify(${body}),\n});\nconsole.log(await answer.json());`,
});
