/** A bench that measured nothing: printed as one sentence, exit code 1. */
export class BenchError extends Error {
  override readonly name: string = 'BenchError';
}

/** The server refused a request (503): it had more of them than it lets wait. */
export class RefusalError extends BenchError {}

/** What to say of an error thrown by someone else: its first line, never its stack. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] || 'unknown reason';
}
