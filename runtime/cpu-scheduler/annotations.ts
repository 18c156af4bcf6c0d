import type { NodeVerdict, Placement } from './types';

/** Annotations that a binding puts on the pod. */
export const ANNOTATIONS = {
  /** Measured CPU of the node when it was chosen, `0.123`, or `unknown`. */
  nodeCpuRatio: 'cpu-scheduler.berth.dev/node-cpu-ratio',
  /** Effective CPU of the node when it was chosen: with what was bound since the reading. */
  effectiveCpuRatio: 'cpu-scheduler.berth.dev/effective-cpu-ratio',
  /** Age of the reading in milliseconds, or `unknown`. */
  readingAgeMs: 'cpu-scheduler.berth.dev/reading-age-ms',
} as const;

/** What a binding to the chosen node writes on the pod. */
export function bindingAnnotations({ cpu }: NodeVerdict): Record<string, string> {
  const measured = cpu.basis === 'measured';
  return {
    [ANNOTATIONS.nodeCpuRatio]: measured ? cpu.cpuRatio.toFixed(3) : 'unknown',
    [ANNOTATIONS.effectiveCpuRatio]: cpu.effectiveCpuRatio.toFixed(3),
    [ANNOTATIONS.readingAgeMs]: measured ? String(Math.round(cpu.readingAgeMs)) : 'unknown',
  };
}

/** What the annotations of a pod say about its placing; undefined when this scheduler did not place it. */
export function placementOf(
  annotations: Readonly<Record<string, string>> | undefined,
): Placement | undefined {
  const nodeCpuRatio = annotations?.[ANNOTATIONS.nodeCpuRatio];
  if (annotations === undefined || nodeCpuRatio === undefined) return undefined;
  return {
    nodeCpuRatio,
    effectiveCpuRatio: annotations[ANNOTATIONS.effectiveCpuRatio] ?? 'unknown',
    readingAgeMs: annotations[ANNOTATIONS.readingAgeMs] ?? 'unknown',
  };
}
