import { z } from 'zod';
import { defineSettings, integerSetting, numberSetting } from '../shared/settings';
import type { AvailabilityOptions } from './types';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Settings of a service that decides which nodes may take an analyzer; next to nodeCpuSettings. */
export const availabilitySettings = defineSettings({
  cpuThreshold: {
    env: 'CPU_THRESHOLD',
    description: 'A node whose CPU is at or above this is not available',
    unit: 'ratio 0..1',
    schema: numberSetting(0.05, 1, 0.7),
  },
  readingMaxAgeMs: {
    env: 'READING_MAX_AGE_MS',
    description:
      'The last CPU reading of a node counts for this long; after that the node is not available',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 2 * MINUTE),
  },
  excludeNodes: {
    env: 'EXCLUDE_NODES',
    description: 'Names of nodes that are never available, separated by commas',
    schema: z
      .string()
      .default('')
      .transform((text): readonly string[] =>
        text
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== ''),
      ),
  },
});

/** The same as the rules want it. */
export const availabilityOptions = (settings: {
  readonly cpuThreshold: number;
  readonly readingMaxAgeMs: number;
  readonly excludeNodes: readonly string[];
}): AvailabilityOptions => ({
  thresholdRatio: settings.cpuThreshold,
  maxAgeMs: settings.readingMaxAgeMs,
  excluded: new Set(settings.excludeNodes),
});
