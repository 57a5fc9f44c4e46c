import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Assets are named by their content and addressed relative to the page's base, so that the server may stand behind a path prefix. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react(), compressed()],
  build: {
    outDir: 'dist',
    // What a page needs, for the test of the first load.
    manifest: true,
    emptyOutDir: true,
    target: 'es2023',
    // Nothing may stand inline: the policy lets only files of this server run.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { port: 4750, proxy: { '/api': process.env['LEVAIN_URL'] ?? 'http://127.0.0.1:4747' } },
});

/** Every asset once more as brotli and gzip, as small as they get: the server then only picks. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async closeBundle() {
      const folder = join(import.meta.dirname, 'dist', 'assets');
      for (const name of await readdir(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const bytes = await readFile(join(folder, name));
        const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
        await writeFile(join(folder, `${name}.br`), await promisify(brotliCompress)(bytes, best));
        await writeFile(join(folder, `${name}.gz`), await promisify(gzip)(bytes, { level: 9 }));
      }
    },
  };
}
