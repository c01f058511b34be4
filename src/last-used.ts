/** Maps whose order is that of their last use, so that what was not used for longest can go. */

/** Puts an entry last. Beyond `limit` the first one goes. */
export function setLast<K, V>(map: Map<K, V>, key: K, value: V, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limit) return;
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
}
