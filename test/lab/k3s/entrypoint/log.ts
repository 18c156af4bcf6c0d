/** Writes one line to stdout, marked as the entrypoint's own. */
export function log(message: string): void {
  process.stdout.write(`k3s: ${message}\n`);
}

/** What went wrong, as one line of text. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
