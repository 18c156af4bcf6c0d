import { parseOptions } from './options';

/** The part of the engine's RunRequest that decides how the program is started. */
export interface RunSpec {
  organization: string;
  project: string;
  stack: string;
  /** Folder of Pulumi.yaml. */
  rootDirectory: string;
  /** Folder the program runs in: the root joined with `main`. */
  programDirectory: string;
  /** What to load, relative to the program's folder; `.` is its package. */
  entryPoint: string;
  options: Record<string, unknown>;
  /** Configuration values by `namespace:name`. */
  config: Map<string, string>;
  configSecretKeys: string[];
  args: string[];
  dryRun: boolean;
  parallel: number;
  monitorAddress: string;
  engineAddress: string;
}

/** Arguments for `node` and the variables to add to its environment. */
export interface Invocation {
  args: string[];
  env: Record<string, string>;
}

/** How the official host would start `spec`, with `runModule` the path of @pulumi/pulumi/cmd/run. */
export function invocationOf(spec: RunSpec, runModule: string): Invocation {
  const options = parseOptions(spec.options);
  const flags: [string, string][] = [
    ['monitor', spec.monitorAddress],
    ['engine', spec.engineAddress],
    ['organization', spec.organization],
    ['project', spec.project],
    ['root-directory', spec.rootDirectory],
    ['stack', spec.stack],
    ['pwd', spec.programDirectory],
  ];
  const args = [
    ...options.nodeargs,
    runModule,
    ...flags.flatMap(([name, value]) => (value === '' ? [] : [`--${name}`, value])),
    ...(spec.dryRun ? ['--dry-run'] : []),
    '--parallel',
    String(spec.parallel),
    spec.entryPoint,
    ...spec.args,
  ];
  const env: Record<string, string> = {
    PULUMI_CONFIG: JSON.stringify(oldStyleConfig(spec.config)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(spec.configSecretKeys),
  };
  if (options.typescript) env.PULUMI_NODEJS_TYPESCRIPT = 'true';
  if (options.tsconfig !== undefined) env.PULUMI_NODEJS_TSCONFIG_PATH = options.tsconfig;
  return { args, env };
}

/** Keys as `namespace:config:name`, which every version of the SDK reads. */
function oldStyleConfig(config: Map<string, string>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, value] of config) {
    const colon = key.indexOf(':');
    const isOld = key.split(':').length === 3;
    result[isOld ? key : `${key.slice(0, colon)}:config:${key.slice(colon + 1)}`] = value;
  }
  return result;
}
