import { readdirSync, readFileSync } from 'node:fs';

/** The command lines that processes of this machine had, containers' included. */
export interface ArgumentSamples {
  /** All that were seen so far, a line each. */
  seen(): string;
  stop(): void;
}

/** Looks at the command lines of all processes, again and again. */
export function sampleArguments(periodMs = 100): ArgumentSamples {
  const lines = new Set<string>();
  const known = new Map<string, string>();
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      try {
        const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (known.get(pid) === text) continue;
        known.set(pid, text);
        lines.add(text.replaceAll('\0', ' ').trim());
      } catch {
        // It has ended meanwhile.
      }
    }
  }, periodMs);
  return { seen: () => [...lines].join('\n'), stop: () => clearInterval(timer) };
}
