import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineEvent } from '@pulumi/pulumi/automation';
import type { StackFolder } from './stack-folder';

/** What a run of the engine leaves behind: its output as text, and its events as lines of JSON. */
export interface RunLog {
  /** Path of the text. */
  readonly path: string;
  text(chunk: string): void;
  event(event: EngineEvent): void;
  close(): void;
}

/**
 * True for an event that may be kept: what the SDK says for debugging holds answers of the engine as they are, secrets
 * in plain text.
 */
export function isLoggable({ diagnosticEvent }: EngineEvent): boolean {
  return diagnosticEvent === undefined || String(diagnosticEvent.severity) !== 'debug';
}

/** Opens `.berth/<stack>/logs/<time>-<command>.log` and `….events.jsonl` beside it. */
export function openRunLog(folder: StackFolder, command: string, now = new Date()): RunLog {
  mkdirSync(folder.logs, { recursive: true });
  const base = join(folder.logs, `${now.toISOString().replace(/[:.]/g, '-')}-${command}`);
  const path = `${base}.log`;
  const text = createWriteStream(path, { mode: 0o600 });
  const events = createWriteStream(`${base}.events.jsonl`, { mode: 0o600 });
  // A full disk must not end the run that it is only the log of.
  for (const stream of [text, events]) stream.on('error', () => undefined);
  return {
    path,
    text: (chunk) => void text.write(chunk),
    event: (event) => {
      if (isLoggable(event)) events.write(`${JSON.stringify(event)}\n`);
    },
    close: () => {
      text.end();
      events.end();
    },
  };
}
