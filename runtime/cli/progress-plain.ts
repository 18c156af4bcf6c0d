import { formatDuration } from './duration';
import type { Phase, Progress, RunningItem } from './progress';

/** After so long without a line, what still runs is named, so that a log shows that it is alive. */
const HEARTBEAT_MS = 30_000;

/** Progress as plain lines, for logs and pipes: one when a phase starts, one for each item that ended. */
export function plainProgress(write: (line: string) => void): Progress {
  return {
    async phase(title, run) {
      const startedMs = Date.now();
      const running = new Map<object, { title: string; detail: string; sinceMs: number }>();
      let lastMs = startedMs;
      const say = (line: string) => {
        lastMs = Date.now();
        write(line);
      };
      const heartbeat = setInterval(() => {
        if (Date.now() - lastMs < HEARTBEAT_MS) return;
        for (const item of running.values())
          say(
            `  … ${item.title}${item.detail && `: ${item.detail}`} (${formatDuration(Date.now() - item.sinceMs)})`,
          );
      }, 1_000);
      let before = '';
      const phase: Phase = {
        line: (text) => say(`  ${text}`),
        summary: (text) => {
          if (text !== before) say(`  ${text}`);
          before = text;
        },
        begin: (itemTitle): RunningItem => {
          const item = { title: itemTitle, detail: '', sinceMs: Date.now() };
          running.set(item, item);
          const end = (mark: string, remark?: string) => {
            if (!running.delete(item)) return;
            const took = formatDuration(Date.now() - item.sinceMs);
            say(`  ${mark} ${itemTitle} ${took}${remark ? `: ${remark}` : ''}`);
          };
          return {
            detail: (text) => {
              item.detail = text;
            },
            done: (remark) => end('✔', remark),
            failed: (remark) => end('✖', remark),
          };
        },
      };
      say(title);
      try {
        const result = await run(phase);
        say(`✔ ${title}: ${formatDuration(Date.now() - startedMs)}`);
        return result;
      } catch (error) {
        say(`✖ ${title}: failed after ${formatDuration(Date.now() - startedMs)}`);
        throw error;
      } finally {
        clearInterval(heartbeat);
      }
    },
  };
}
