/** A wait that takes this long has failed: no test passes or fails by how fast the machine is. */
export const GIVE_UP = { timeout: 30_000, interval: 20 };
/** Longer than the waits of a test together, so that it is one of them that tells what did not come. */
export const TEST_TIMEOUT_MS = 120_000;
