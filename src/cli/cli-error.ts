/** A failure the user can mend: printed as one sentence, exit code 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}

/** What to say of an error thrown by someone else: one line, never its stack. */
export function reasonOf(error: unknown): string {
  const { cause, code, message = '' } = (error ?? {}) as { cause?: { code?: string }; code?: string; message?: string };
  const [first = '', second = ''] = message.split('\n');
  const line = first.endsWith(':') ? `${first} ${second.trim()}` : first; // a compiler's summary, then its first finding
  return cause?.code ?? (line || code) ?? String(error);
}
