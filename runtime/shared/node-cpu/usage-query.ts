import type { PrometheusSample } from '../prometheus';
import { mapInstances, type InstanceReading } from './map-instances';
import type { AddressedNode, CpuSnapshot } from './types';

const KIND = 'berth_reading';

/** Ratios of rates pass 1 by a little when scrapes are late; by more than this they are something else. */
const MAX_RATIO = 1.5;

/** What is read of the nodes, in PromQL. */
export interface UsageQuery {
  /** One series for each node, a ratio 0..1. */
  readonly ratioQuery: string;
  /** When those samples were scraped, with the same labels; seconds since 1970. */
  readonly timeQuery: string;
}

/**
 * One query for the ratios, and when they were scraped, as two sets of series told apart by a label. A result carries
 * only the time at which it was evaluated, which says nothing about how old the samples behind it are: a rate goes on
 * answering from what a dead exporter left. So a ratio without a time is no reading.
 * @param prefix tells these series from others in one answer
 */
export function queryOf({ ratioQuery, timeQuery }: UsageQuery, prefix = ''): string {
  const as = (kind: string, query: string): string =>
    `label_replace((${query}), "${KIND}", "${prefix}${kind}", "${KIND}", "")`;
  return `${as('ratio', ratioQuery)} or ${as('time', timeQuery)}`;
}

/** What the answer to that says of these nodes. @param askedMs when it was asked, by our clock */
export function snapshotOf(
  samples: readonly PrometheusSample[],
  askedMs: number,
  nodes: Iterable<AddressedNode>,
  prefix = '',
): CpuSnapshot {
  const times = new Map<string, number>();
  for (const sample of samples) {
    if (sample.labels[KIND] === `${prefix}time`) times.set(identityOf(sample), sample.value * 1000);
  }
  const readings: InstanceReading[] = [];
  const invalid: string[] = [];
  for (const sample of samples) {
    if (sample.labels[KIND] !== `${prefix}ratio`) continue;
    const takenAtMs = times.get(identityOf(sample));
    const { value, evaluatedAtMs } = sample;
    if (takenAtMs === undefined || !(value >= -0.5 && value <= MAX_RATIO)) {
      invalid.push(`${identityOf(sample)} = ${value}`);
      continue;
    }
    // Both times are Prometheus's: its clock may differ from ours, so only the age is taken over.
    const ageMs = Math.max(0, evaluatedAtMs - takenAtMs);
    readings.push({
      node: sample.labels['node'] ?? '',
      instance: sample.labels['instance'] ?? '',
      reading: { cpuRatio: Math.min(1, Math.max(0, value)), takenAtMs: askedMs - ageMs },
    });
  }
  return { ...mapInstances(readings, nodes), invalid };
}

/** What the two sets of series are matched by. */
const identityOf = ({ labels }: PrometheusSample): string =>
  `node=${labels['node'] ?? ''} instance=${labels['instance'] ?? ''}`;
