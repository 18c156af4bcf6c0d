/** Which chart a release is of, and how it is called. */
export interface ChartConfig {
  /** Name in the repository, `oci://` reference, or path. */
  readonly chart: string;
  /** URL of the repository; empty for a chart that needs none. */
  readonly repository: string;
  /** Empty for the only one there is: that of a path. */
  readonly version: string;
  readonly release: string;
  readonly timeoutSeconds: number;
}

/** The inputs of a Helm release that say what is installed. */
export function chartArgs(config: ChartConfig) {
  const { chart, repository, version, release, timeoutSeconds } = config;
  return {
    name: release,
    chart,
    ...(version === '' ? {} : { version }),
    ...(repository === '' ? {} : { repositoryOpts: { repo: repository } }),
    timeout: timeoutSeconds,
  };
}
