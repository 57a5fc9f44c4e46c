import { Button, Code, CopyButton, Tabs } from '@mantine/core';
import { useState } from 'react';
import type { InferRequest } from './request.ts';
import { snippetsOf } from './snippets.ts';
import classes from './try-it.module.css';

/** The same request without this page, copied with one click. */
export function Snippets({ url, request }: { readonly url: string; readonly request: InferRequest }) {
  const snippets = snippetsOf(url, request);
  const [chosen, choose] = useState<keyof typeof snippets>('curl');
  return (
    <Tabs value={chosen} onChange={(next) => choose(next as keyof typeof snippets)} keepMounted={false}>
      <div className={classes['snippetHead']}>
        <Tabs.List>
          {Object.keys(snippets).map((language) => (
            <Tabs.Tab key={language} value={language}>
              {language}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <CopyButton value={snippets[chosen]}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </div>
      {Object.entries(snippets).map(([language, text]) => (
        <Tabs.Panel key={language} value={language} pt="xs">
          <Code block tabIndex={0} aria-label={`The request in ${language}`} className={classes['snippet'] ?? ''}>
            {text}
          </Code>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
