import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Where k3s looks for its settings on a host. */
export const CONFIG_FILE = '/etc/rancher/k3s/config.yaml';

/**
 * k3s's config.yaml as flags: `token-file: /f` is `--token-file=/f`, a list is the flag again and again, true is the bare
 * flag. They come before the command line's own, which so win.
 */
export function configFlags(text: string): string[] {
  const settings = (parse(text) ?? {}) as Record<string, unknown>;
  return Object.entries(settings).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? (value as unknown[]) : [value];
    return values.flatMap((one) =>
      one === true ? [`--${name}`] : one === false ? [] : [`--${name}=${String(one)}`],
    );
  });
}

/** The command line, with what the host's config.yaml says, if there is one. */
export function withConfigFile(argv: readonly string[]): string[] {
  const [role = '', ...rest] = argv;
  let text = '';
  try {
    text = readFileSync(CONFIG_FILE, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return [role, ...configFlags(text), ...rest];
}
