/**
 * Builds the playground's page: `vite build src/playground/web`, after the compiler's build.
 *
 * `dist/playground` also holds the compiled server side, so only `index.html` and `assets/` are the page's. Each asset
 * is a file of its own with a hash in its name: the page works under `script-src 'self'` and can be cached for good.
 */
import { rmSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const outDir = new URL('../../../dist/playground/', import.meta.url);

/** What an earlier build left has other hashes. */
const clean: Plugin = {
  name: 'remove-old-assets',
  apply: 'build',
  buildStart: () => rmSync(new URL('assets', outDir), { recursive: true, force: true }),
};

export default defineConfig({
  base: '/playground/',
  publicDir: false,
  plugins: [clean],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../../dist/playground',
    emptyOutDir: false,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: false, // its polyfill would be the only code here that is not the page's own
  },
});
