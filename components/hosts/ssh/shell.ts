/** A text as one word of a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A script as a command for a user's login shell, run by root. What it reads from stdin reaches it unchanged. */
export const asRoot = (user: string, script: string): string =>
  user === 'root' ? `sh -c ${quoted(script)}` : `sudo -n sh -c ${quoted(script)}`;
