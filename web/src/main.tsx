import { MantineProvider } from '@mantine/core';
import './ui/mantine.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueries } from './api/queries.ts';
import { createPages } from './router.tsx';
import { theme, variables } from './ui/theme.ts';
import './ui/tokens.css';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
// Styles that dialogs add while they are open (no scrolling behind them) read it from here.
Object.assign(globalThis, { __webpack_nonce__: nonce });
const queries = createQueries();
const pages = createPages();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queries}>
        <RouterProvider router={pages} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
