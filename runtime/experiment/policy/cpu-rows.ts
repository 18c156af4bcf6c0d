import { z } from 'zod';
import type { CpuRow } from '../../experiment-report/types';
import { ExperimentError } from '../experiment-error';
import { mapInstances, type InstanceReading } from '../../shared/node-cpu/map-instances';
import type { AddressedNode } from '../../shared/node-cpu/types';

const matrixSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});

/** A span of time and how often within it to look. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/**
 * The CPU of every node at every step, from Prometheus's answer to a range query. A step without a reading of a node has
 * null: unknown is not zero.
 * @throws ExperimentError when the answer is none.
 */
export function cpuRowsOf(
  answer: unknown,
  nodes: readonly AddressedNode[],
  { fromMs, toMs, stepMs }: TimeSpan,
): CpuRow[] {
  const parsed = matrixSchema.safeParse(answer);
  if (!parsed.success)
    throw new ExperimentError(`Prometheus gave no range: ${JSON.stringify(answer)?.slice(0, 200)}`);
  const byTime = new Map<number, InstanceReading[]>();
  for (const { metric, values } of parsed.data.data.result)
    for (const [seconds, text] of values) {
      const cpuRatio = Number(text);
      if (text === '' || !Number.isFinite(cpuRatio)) continue;
      const step = Math.round((seconds * 1000 - fromMs) / stepMs);
      const readings = byTime.get(step) ?? [];
      readings.push({
        node: metric['node'] ?? '',
        instance: metric['instance'] ?? '',
        reading: { cpuRatio: Math.min(1, Math.max(0, cpuRatio)), takenAtMs: seconds * 1000 },
      });
      byTime.set(step, readings);
    }
  const steps = Math.floor((toMs - fromMs) / stepMs) + 1;
  return Array.from({ length: steps }, (_, step) => {
    const { byNode } = mapInstances(byTime.get(step) ?? [], nodes);
    return nodes.map(({ name }) => ({
      atMs: fromMs + step * stepMs,
      node: name,
      cpuRatio: byNode.get(name)?.cpuRatio ?? null,
    }));
  }).flat();
}
