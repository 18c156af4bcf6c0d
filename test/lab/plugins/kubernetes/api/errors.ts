/** What the API server answered instead of success. */
export class ApiError extends Error {
  constructor(
    /** The HTTP status, for example 404. */
    readonly status: number,
    /** The server's own word for it, for example `AlreadyExists`. */
    readonly reason: string,
    message: string,
    /** The kind of object that the answer is about (`namespaces` when a namespace is missing). */
    readonly about: { kind?: string; name?: string; causes?: { field?: string }[] } = {},
  ) {
    super(message);
  }

  static from(status: number, body: string): ApiError {
    try {
      const answer = JSON.parse(body) as {
        reason?: string;
        message?: string;
        details?: ApiError['about'];
      };
      return new ApiError(
        status,
        answer.reason ?? '',
        answer.message ?? `the API server answered ${status}`,
        answer.details,
      );
    } catch {
      return new ApiError(status, '', `the API server answered ${status}: ${body.slice(0, 500)}`);
    }
  }
}

/** The API server did not answer at all. */
export class UnreachableError extends Error {
  constructor(server: string, cause: Error) {
    super(`the Kubernetes cluster at ${server} is unreachable: ${cause.message}`);
  }
}

export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404;

/** The namespace of an object does not exist (yet). */
export const isNamespaceMissing = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404 && error.about.kind === 'namespaces';
