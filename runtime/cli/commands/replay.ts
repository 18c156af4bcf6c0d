import { replay, type PastDecision } from '../../autoscaler/policy/replay';
import { unpackSnapshot } from '../../autoscaler/state/recorder';
import type { DecisionsAnswer } from '../autoscaler/answers';
import { changedSettings } from '../autoscaler/changed-settings';
import { openAutoscaler, type AutoscalerApi } from '../autoscaler/client';
import { sinceMs } from '../autoscaler/since';
import { differences, replayTable } from '../autoscaler/tables';
import type { CommandContext, CommonOptions } from '../command-context';

export interface ReplayOptions extends CommonOptions {
  readonly set?: readonly string[];
  readonly since?: string;
}

const PAGE = 50;
const DEFAULT_SINCE = '1d';

/** `npm run replay`: decides again what was decided, under other settings, and shows where it differs. */
export async function replayHistory(
  { folder, print, signal }: CommandContext,
  options: ReplayOptions,
): Promise<number> {
  const fromMs = sinceMs(options.since ?? DEFAULT_SINCE, Date.now());
  const api = await openAutoscaler(folder);
  const config = await api.get<Record<string, unknown>>('/config');
  const settings = changedSettings(config, options.set ?? []);
  const replayed = replay(await readPast(api, fromMs, signal), settings);
  print(
    options.json
      ? JSON.stringify({ decisions: replayed.length, differences: differences(replayed) }, null, 2)
      : replayTable(replayed),
  );
  return 0;
}

/** What was recorded since a time, the earliest first. */
async function readPast(
  api: AutoscalerApi,
  fromMs: number,
  signal: AbortSignal,
): Promise<PastDecision[]> {
  const past: PastDecision[] = [];
  const query = new URLSearchParams({ limit: String(PAGE), since: new Date(fromMs).toISOString() });
  for (;;) {
    signal.throwIfAborted();
    const { decisions } = await api.get<DecisionsAnswer>(`/history/decisions?${query.toString()}`);
    for (const { decision, snapshot } of decisions)
      past.push({ decision, snapshot: await unpackSnapshot(snapshot) });
    const last = decisions.at(-1);
    if (last === undefined || decisions.length < PAGE) return past.reverse();
    query.set('before', new Date(last.decision.atMs).toISOString());
  }
}
