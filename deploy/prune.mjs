/**
 * Leaves in node_modules the native binaries of this machine alone, and sees that they load.
 *
 * uWebSockets.js brings 41 MB of them, one for each system and Node; libsql comes for glibc and for musl.
 * Fails, and with it the image's build, where one that is left does not load.
 */
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const modules = join(process.argv[2] ?? process.cwd(), 'node_modules');
const { platform, arch, versions, report } = process;

const uws = join(modules, 'uWebSockets.js');
const binary = `uws_${platform}_${arch}_${versions.modules}.node`;
const needed = new Set([binary, 'uws.js', 'ESM_wrapper.mjs', 'package.json', 'LICENSE']);
for (const name of readdirSync(uws)) if (!needed.has(name)) rmSync(join(uws, name), { recursive: true });

const libc = platform === 'linux' ? (report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl') : '';
for (const name of readdirSync(join(modules, '@libsql'))) {
  if (name.startsWith('linux-') && !name.startsWith(`linux-${arch}${libc}`)) {
    rmSync(join(modules, '@libsql', name), { recursive: true });
  }
}

const require = createRequire(join(modules, '..', 'index.js'));
require('uWebSockets.js').App();
const Database = require('libsql');
new Database(':memory:').exec('SELECT 1');
console.log(`kept ${binary} and libsql for ${platform}-${arch}${libc}: both load`);
