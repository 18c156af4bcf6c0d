import type { ScalingSettings } from '../settings';

/** A rule in force, as it is written down for who reads the database. */
export interface Rule {
  readonly name: string;
  readonly action: 'scale_up' | 'scale_down';
  /** When it applies, in words. */
  readonly condition: string;
  readonly cooldownMs: number;
  /** Most workers that it adds or removes at once. */
  readonly most: number;
}

const percent = (ratio: number): string => `${Math.round(ratio * 1000) / 10} %`;

/** The rules that follow from settings, in the order in which they are looked at. */
export function rulesOf(settings: ScalingSettings): readonly Rule[] {
  const { scaleUpCooldownMs, scaleDownCooldownMs, maxScaleUp, maxScaleDown } = settings;
  const { cpuThresholdRatio, memoryThresholdRatio, cpuScaleDownRatio, memoryScaleDownRatio } =
    settings;
  const up = { action: 'scale_up', cooldownMs: scaleUpCooldownMs } as const;
  return [
    {
      ...up,
      ...{ name: 'minimum', cooldownMs: 0, most: maxScaleUp },
      condition: `workers < ${settings.minNodes}`,
    },
    {
      ...up,
      ...{ name: 'pending', most: maxScaleUp },
      condition: `pods that a new node would take >= ${settings.pendingPods}, workers < ${settings.maxNodes}`,
    },
    {
      ...up,
      ...{ name: 'usage', most: 1 },
      condition: `CPU >= ${percent(cpuThresholdRatio)} and memory >= ${percent(memoryThresholdRatio)}, workers < ${settings.maxNodes}`,
    },
    {
      ...{
        name: 'idle',
        action: 'scale_down',
        cooldownMs: scaleDownCooldownMs,
        most: maxScaleDown,
      },
      condition: `no such pods, CPU < ${percent(cpuScaleDownRatio)} and memory < ${percent(memoryScaleDownRatio)}, workers > ${settings.minNodes}`,
    },
  ];
}
