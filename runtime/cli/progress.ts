import type { Reporter } from '../../test/lab/report';

/** Something that runs within a phase and shows until it ends. */
export interface RunningItem {
  /** What it is doing just now. */
  detail(text: string): void;
  done(remark?: string): void;
  failed(remark?: string): void;
}

/** A step of a command: its items run, alone or several at once, and end. */
export interface Phase {
  begin(title: string): RunningItem;
  /** A line that stays. */
  line(text: string): void;
  /** What the phase is doing as a whole, shown beside its title. */
  summary(text: string): void;
}

/** Shows a command's progress: live on a terminal, line by line elsewhere. */
export interface Progress {
  phase<T>(title: string, run: (phase: Phase) => Promise<T>): Promise<T>;
}

/** Shows the lab's steps as items of a phase. */
export function reporterOf(phase: Phase): Reporter {
  return {
    async step(title, run) {
      const item = phase.begin(title);
      try {
        const result = await run((text) => item.detail(text));
        item.done();
        return result;
      } catch (error) {
        item.failed();
        throw error;
      }
    },
  };
}
