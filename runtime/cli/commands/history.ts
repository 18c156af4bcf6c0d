import type { HistoryAnswer } from '../autoscaler/answers';
import { openAutoscaler } from '../autoscaler/client';
import { sinceMs } from '../autoscaler/since';
import { historyTable } from '../autoscaler/tables';
import type { CommandContext, CommonOptions } from '../command-context';

export interface HistoryOptions extends CommonOptions {
  readonly since?: string;
}

/** The most that the API gives at once. */
const MOST = 1000;

/** `npm run history`: what the autoscaler has added, removed and mended. */
export async function history(
  { folder, print, warn }: CommandContext,
  options: HistoryOptions,
): Promise<number> {
  const query = new URLSearchParams({ limit: String(MOST) });
  if (options.since !== undefined)
    query.set('since', new Date(sinceMs(options.since, Date.now())).toISOString());
  const api = await openAutoscaler(folder);
  const answer = await api.get<HistoryAnswer>(`/history?${query.toString()}`);
  if (answer.events.length === MOST) warn(`only the latest ${MOST} are shown`);
  print(options.json ? JSON.stringify(answer, null, 2) : historyTable(answer));
  return 0;
}
