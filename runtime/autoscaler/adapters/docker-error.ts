/** A request that Docker, or what guards its socket, did not carry out. */
export class DockerError extends Error {
  constructor(
    what: string,
    /** Of the answer; undefined where there was none. */
    readonly status: number | undefined,
    cause: unknown,
  ) {
    super(`Docker: cannot ${what}: ${reasonOf(cause)}`, { cause });
    this.name = 'DockerError';
  }
}

/** The HTTP status of what dockerode threw. */
export const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const said = 'json' in cause ? (cause.json as { message?: unknown } | null)?.message : undefined;
  const status = statusOf(cause);
  if (status !== undefined && typeof said === 'string') return `${said.trim()} (${status})`;
  // What aborts a request carries the reason inside.
  if (cause.name === 'AbortError' && cause.cause instanceof Error) return reasonOf(cause.cause);
  if (cause.name === 'TimeoutError') return 'no answer within the time limit';
  return cause.message.trim() || cause.name;
}
