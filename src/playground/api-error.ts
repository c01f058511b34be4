/** A call of the page that is refused, with the one sentence that the page shows. */
import { FlowgateError } from '../errors.ts';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, message);
}

/** @returns undefined for a defect, which is the server's to answer. */
export function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (!(error instanceof FlowgateError)) return undefined;
  const status = STATUS[error.code];
  return status === undefined ? undefined : new ApiError(status, error.message);
}

const STATUS: Partial<Record<FlowgateError['code'], number>> = {
  BODY_TOO_LARGE: 413,
  INBOX_UNAVAILABLE: 503,
  STATE_UNAVAILABLE: 503,
};
