import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Assets are named by their content and addressed relative to the page's base, so that the server may stand behind a path prefix. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Nothing may stand inline: the policy lets only files of this server run.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { port: 4750, proxy: { '/api': 'http://127.0.0.1:4747' } },
});
