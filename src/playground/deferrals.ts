/** Remembers which item's handler left which job: the inbox has no need to know. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setLast } from '../last-used.ts';
import type { Handlers } from '../webhooks/handlers.ts';
import type { Inbox } from '../webhooks/inbox.ts';

/** More than the inbox view ever shows. */
export const MAX_REMEMBERED = 1_000;

export class Deferrals {
  readonly #running = new AsyncLocalStorage<string>();
  /** Items by the jobs that they left. */
  readonly #items = new Map<string, string>();

  /** @returns undefined for a job of a Flow's handler, and of another process. */
  itemOf(jobId: string): string | undefined {
    return this.#items.get(jobId);
  }

  /** @returns the handlers, which now run where `inbox` can tell them apart. */
  handlers(handlers: Handlers): Handlers {
    return override(handlers, {
      find: (item) => {
        const found = handlers.find(item);
        return found && { ...found, run: (c) => this.#running.run(item.id, () => found.run(c)) };
      },
    });
  }

  inbox(inbox: Inbox): Inbox {
    return override(inbox, {
      append: async (items) => {
        const areNew = await inbox.append(items);
        const itemId = this.#running.getStore();
        if (itemId === undefined) return areNew;
        for (const [i, { id }] of items.entries()) if (areNew[i]) setLast(this.#items, id, itemId, MAX_REMEMBERED);
        return areNew;
      },
    });
  }
}

/** `target` with other methods in place of some. A class may have private fields, so it is called as itself. */
function override<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
