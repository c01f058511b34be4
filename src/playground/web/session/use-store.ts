/** A store's value in a component, drawn anew when it changes. */
import { useEffect, useState } from 'preact/hooks';
import type { Store } from './store.ts';

export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState(0);
  useEffect(() => {
    redraw((count) => count + 1); // it may have changed since it was drawn
    return store.subscribe(() => redraw((count) => count + 1));
  }, [store]);
  return store.value;
}
