import type { NodeView } from '../types';
import type { ViewSettings } from './view';

/** Why a node is out, for FailedNodes and `/explain`; undefined when it is in. */
export function reasonOf(
  view: NodeView,
  target: string | undefined,
  settings: ViewSettings,
): string | undefined {
  switch (view.rule) {
    case undefined:
      return undefined;
    case 'no-fresh-probe': {
      const last =
        view.probeAgeMs === null ? 'none yet' : `the last is ${seconds(view.probeAgeMs)} old`;
      return `no fresh probe: ${last}${view.failure === undefined ? '' : ` (${view.failure})`}`;
    }
    case 'no-fresh-cpu':
      return 'no fresh probe: its prober does not know its CPU';
    case 'no-fresh-latency':
      return `no fresh probe: its prober does not know its latency to ${target ?? 'any other node'}`;
    case 'cpu-over-limit': {
      const placed =
        view.placedCpuRatio > 0 ? `, ${ratio(view.placedCpuRatio)} of it placed just now` : '';
      return `CPU ${ratio(view.effectiveCpuRatio)} is over ${settings.cpuLimitRatio}${placed}`;
    }
    case 'latency-over-limit': {
      const to = target ?? 'the other nodes (median)';
      const measured = `${ratio(view.latencyRatio)} (${view.latencyMs?.toFixed(1)} ms)`;
      return `latency ${measured} to ${to} is over ${settings.latencyLimitRatio}`;
    }
  }
}

/** Why a node is out that no prober is known of. */
export const NO_PROBER = 'no fresh probe: no prober is known on this node';

const ratio = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
