// Preloaded by each child process: `--import tsx` itself would be inherited by its decrypt threads, which need no
// TypeScript, and put 40 MB into the memory that is measured.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) (await import('tsx/esm/api')).register();
