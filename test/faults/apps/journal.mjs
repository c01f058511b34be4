/** Files that outlive the process: a line for each thing that happened, with the id of its message. */
import { appendFileSync, existsSync, watch } from 'node:fs';
import { join } from 'node:path';

/** One short write: a process that is killed has written the line whole or not at all. */
export function note(what, event) {
  appendFileSync(join(process.env.JOURNAL_DIR, what), `${event.messageId}\n`);
}

/** Resolves when the test has written the file of this name. */
export async function written(name) {
  const watcher = watch(process.env.JOURNAL_DIR);
  await new Promise((resolve) => {
    const look = () => existsSync(join(process.env.JOURNAL_DIR, name)) && resolve();
    watcher.on('change', look);
    look();
  });
  watcher.close();
}
