import {
  checkScalingSettings,
  scalingSettings,
  type ScalingSettings,
} from '../../autoscaler/settings';
import { parseSettings, SettingsError } from '../../shared/settings';
import { UserError } from '../user-error';

/** A setting as people name it, and how its value is that of the environment variable. */
interface Named {
  readonly env: string;
  readonly value: (text: string) => string;
}

const as = (env: string): Named => ({ env, value: (text) => text });
const percent = (env: string): Named => ({
  env,
  value: (text) => {
    const value = number(text.replace(/\s*%$/, ''));
    if (value > 0 && value < 1) throw new Error(`is a percentage: ${value * 100}, not ${text}`);
    return String(value / 100);
  },
});
const seconds = (env: string): Named => ({
  env,
  value: (text) => String(Math.round(number(text.replace(/\s*s$/, '')) * 1000)),
});

const NAMES: Readonly<Record<string, Named>> = {
  pending_pods: as('PENDING_PODS'),
  cpu_threshold: percent('CPU_THRESHOLD'),
  cpu_up: percent('CPU_THRESHOLD'),
  memory_threshold: percent('MEMORY_THRESHOLD'),
  memory_up: percent('MEMORY_THRESHOLD'),
  cpu_scale_down: percent('CPU_SCALE_DOWN'),
  cpu_down: percent('CPU_SCALE_DOWN'),
  memory_scale_down: percent('MEMORY_SCALE_DOWN'),
  memory_down: percent('MEMORY_SCALE_DOWN'),
  min_nodes: as('MIN_NODES'),
  max_nodes: as('MAX_NODES'),
  scale_up_cooldown: seconds('SCALE_UP_COOLDOWN_MS'),
  scale_down_cooldown: seconds('SCALE_DOWN_COOLDOWN_MS'),
  max_scale_up: as('MAX_SCALE_UP'),
  max_scale_down: as('MAX_SCALE_DOWN'),
  permanent_workers: as('PERMANENT_WORKERS'),
  evict_bare_pods: as('EVICT_BARE_PODS'),
};

/**
 * The settings that a running autoscaler has, with some changed.
 * @param config what its `/config` says.
 * @param changes `name=value` each: percentages and seconds, as the requirement names them.
 * @throws UserError that names all that is wrong
 */
export function changedSettings(
  config: Readonly<Record<string, unknown>>,
  changes: readonly string[],
): ScalingSettings {
  const problems: string[] = [];
  const env: Record<string, string> = {};
  for (const { env: name } of Object.values(scalingSettings)) {
    const value = config[name];
    if (value !== undefined) env[name] = Array.isArray(value) ? value.join() : String(value);
  }
  for (const change of changes) {
    const at = change.indexOf('=');
    const named = NAMES[change.slice(0, Math.max(0, at)).trim()];
    try {
      if (named === undefined) throw new Error(`known are ${Object.keys(NAMES).join(', ')}`);
      env[named.env] = named.value(change.slice(at + 1).trim());
    } catch (error) {
      problems.push(`--set ${change}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  try {
    const settings = parseSettings(scalingSettings, env);
    checkScalingSettings(settings);
    return settings;
  } catch (error) {
    if (error instanceof SettingsError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new Error('must be a number');
  return value;
}
