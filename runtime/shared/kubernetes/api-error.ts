/** The API server refused a request; the outcome is known. */
export class ApiError extends Error {
  constructor(
    /** HTTP status. */
    readonly status: number,
    /** Machine-readable reason of the Status object, for example `AlreadyExists`; empty when there was none. */
    readonly reason: string,
    message: string,
    /** How long the server asks to wait, in milliseconds. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** There was no answer: the request may or may not have been carried out. */
export class ApiUnreachableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiUnreachableError';
  }
}

interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** The error that an answer of status 400 or more stands for. */
export function apiErrorFrom(status: number, text: string, retryAfter?: string): ApiError {
  let body: StatusBody = {};
  try {
    body = (JSON.parse(text) as StatusBody | null) ?? {};
  } catch {
    // A proxy in between may answer with something that is not JSON; the status still says enough.
  }
  const seconds = body.details?.retryAfterSeconds ?? Number(retryAfter);
  return new ApiError(
    status,
    body.reason ?? '',
    body.message ?? `HTTP ${status}: ${text.slice(0, 200)}`,
    Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  );
}
