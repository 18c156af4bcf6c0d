import { Listr } from 'listr2';
import { formatDuration } from './duration';
import type { Phase, Progress, RunningItem } from './progress';

const REFRESH_MS = 500;

/** Rows of the terminal that stay free of ended items while a phase runs: it redraws only what is on the screen. */
const SPARE_ROWS = 12;

/** Progress on a terminal: each phase a task whose ended items stay, with what runs just now below them. */
export function liveProgress(): Progress {
  return {
    async phase(title, run) {
      let outcome: { value: Awaited<ReturnType<typeof run>> } | undefined;
      await new Listr(
        [
          {
            title,
            task: async (_context, task) => {
              const startedMs = Date.now();
              const running = new Set<{ title: string; detail: string; sinceMs: number }>();
              const lines: string[] = [];
              let summary = '';
              let ended = false;
              const draw = () => {
                const now = [...running].map(
                  ({ title, detail, sinceMs }) =>
                    `… ${title}${detail && `: ${detail}`} ${formatDuration(Date.now() - sinceMs)}`,
                );
                task.title = `${title}${summary && `: ${summary}`} (${formatDuration(Date.now() - startedMs)})`;
                const room = Math.max(3, (process.stdout.rows ?? 40) - SPARE_ROWS);
                const shown = ended ? lines : lines.slice(-room);
                const above = lines.length - shown.length;
                const more = above > 0 ? [`(${above} more)`] : [];
                task.output = [...more, ...shown, ...now].join('\n');
              };
              const timer = setInterval(draw, REFRESH_MS);
              const phase: Phase = {
                line: (text) => void lines.push(text),
                summary: (text) => {
                  summary = text;
                },
                begin: (itemTitle): RunningItem => {
                  const item = { title: itemTitle, detail: '', sinceMs: Date.now() };
                  running.add(item);
                  const end = (mark: string, remark?: string) => {
                    if (!running.delete(item)) return;
                    const took = formatDuration(Date.now() - item.sinceMs);
                    lines.push(`${mark} ${itemTitle} ${took}${remark ? `: ${remark}` : ''}`);
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
              try {
                outcome = { value: await run(phase) };
              } finally {
                clearInterval(timer);
                summary = '';
                ended = true;
                running.clear();
                draw();
              }
            },
            rendererOptions: { persistentOutput: true },
          },
        ],
        {
          // The command itself decides what a signal means.
          registerSignalListeners: false,
          rendererOptions: { collapseErrors: false, showErrorMessage: false, indentation: 2 },
        },
      ).run();
      if (outcome === undefined) throw new Error(`${title}: ended without a result`);
      return outcome.value;
    },
  };
}
