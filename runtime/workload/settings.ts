import { availableParallelism } from 'node:os';
import { httpSettings, logSettings } from '../shared/service-settings';
import { defineSettings, integerSetting, SettingsError, type SettingsOf } from '../shared/settings';

/** A request must be able to end within the 20 s that a service has to stop, the delay before it included. */
const LONGEST_SLEEP_MS = 12_000;
const LONGEST_STOP_DELAY_MS = 5000;

/** Every setting of the workload; the components generate the container's environment from it. */
export const workloadSettings = defineSettings({
  maxSleepMs: {
    env: 'MAX_SLEEP_MS',
    description: 'Greatest value of the parameter sleep',
    unit: 'ms',
    schema: integerSetting(0, LONGEST_SLEEP_MS, 10_000),
  },
  maxPrime: {
    env: 'MAX_PRIME',
    description: 'Greatest value of the parameter prime',
    schema: integerSetting(3, 100_000_000, 20_000_000),
  },
  maxBloatMb: {
    env: 'MAX_BLOAT_MB',
    description: 'Greatest value of the parameter bloat',
    unit: 'Mb of 2^20 bytes',
    schema: integerSetting(0, 1024, 64),
  },
  maxInFlight: {
    env: 'MAX_IN_FLIGHT',
    description: 'Requests at once; one more is answered 503',
    schema: integerSetting(1, 10_000, 200),
  },
  maxTotalBloatMb: {
    env: 'MAX_TOTAL_BLOAT_MB',
    description: 'Memory that all requests hold together; a request beyond it is answered 503',
    unit: 'Mb of 2^20 bytes',
    schema: integerSetting(0, 65_536, 256),
  },
  retryAfterSeconds: {
    env: 'RETRY_AFTER_SECONDS',
    description: 'Retry-After of a 503',
    unit: 's',
    schema: integerSetting(1, 600, 1),
  },
  threads: {
    env: 'THREADS',
    description: 'Worker threads that compute; 0: as many as there are processors, at most 4',
    schema: integerSetting(0, 64, 0),
  },
  busyThreads: {
    env: 'BUSY_THREADS',
    description: 'Threads beside those that compute all the time, whatever is asked; 0: none',
    schema: integerSetting(0, 64, 0),
  },
  stopDelayMs: {
    env: 'STOP_DELAY_MS',
    description:
      'After SIGTERM it is not ready, but takes requests for this long, until its Service has forgotten it',
    unit: 'ms',
    schema: integerSetting(0, LONGEST_STOP_DELAY_MS, 2000),
  },
  ...httpSettings(8080, '/, /healthz, /readyz and /metrics'),
  ...logSettings,
});

export type WorkloadSettings = SettingsOf<typeof workloadSettings>;

/** Refuses limits by which a single request could never be taken. @throws SettingsError */
export function checkWorkloadSettings(settings: WorkloadSettings): void {
  if (settings.maxBloatMb > settings.maxTotalBloatMb)
    throw new SettingsError([
      `MAX_BLOAT_MB ${settings.maxBloatMb}: must not be above MAX_TOTAL_BLOAT_MB (${settings.maxTotalBloatMb})`,
    ]);
}

/** How many threads compute. */
export const threadCount = (settings: Pick<WorkloadSettings, 'threads'>): number =>
  settings.threads || Math.min(4, availableParallelism());
