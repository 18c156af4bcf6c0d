import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isWorthRecording } from '../policy/worth-recording';
import { snapshotFromText, snapshotToText } from '../policy/snapshot-text';
import type { Decisions } from '../ports';
import type { Decision, Snapshot } from '../types';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** A cluster with more pods than this is not recorded: writing it down would hold up decisions. */
const MOST_PODS = 5000;
/** What is larger, compressed, is not recorded. */
const MOST_BYTES = 256 * 1024;

/** What a recorder works with. */
export interface RecorderParts {
  readonly decisions: Pick<Decisions, 'add'>;
  readonly intervalMs: number;
  /** Told of what could not be recorded, and why. */
  failed(why: string, error?: unknown): void;
}

/** A snapshot as it is kept: its text, gzip, base64. */
export async function packSnapshot(text: string): Promise<string> {
  return (await compress(text)).toString('base64');
}

/** What {@link packSnapshot} has packed. @throws for what it has not */
export async function unpackSnapshot(packed: string): Promise<Snapshot> {
  return snapshotFromText((await decompress(Buffer.from(packed, 'base64'))).toString());
}

/** Records decisions with what they rested on. Nothing waits for it: one that comes while another is written is left out. */
export class DecisionRecorder {
  #last: Decision | undefined;
  #writing: Promise<void> | undefined;

  constructor(private readonly parts: RecorderParts) {}

  note(decision: Decision, snapshot: Snapshot): void {
    const { intervalMs, failed } = this.parts;
    if (!snapshot.synced || !isWorthRecording(this.#last, decision, intervalMs)) return;
    if (this.#writing !== undefined) return;
    this.#last = decision;
    let pods = 0;
    for (const { podCount } of snapshot.nodes.values()) pods += podCount;
    if (pods + snapshot.pending.length > MOST_PODS) {
      failed(`${pods} pods are too many to record`);
      return;
    }
    // Now, since what it is made of changes.
    const text = snapshotToText(snapshot);
    this.#writing = this.#write(decision, text)
      .catch((error: unknown) => failed('it was not written', error))
      .finally(() => (this.#writing = undefined));
  }

  /** Waits for what is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(decision: Decision, text: string): Promise<void> {
    const snapshot = await packSnapshot(text);
    if (snapshot.length > MOST_BYTES) this.parts.failed('it is too large to record');
    else await this.parts.decisions.add({ decision, snapshot });
  }
}
