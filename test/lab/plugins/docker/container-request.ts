import type { ContainerInputs } from './container-schema';
import { labelMap } from './labels';

const MIB = 1024 * 1024;

/** What the engine is asked to create for these inputs. @throws Error where they contradict each other. */
export function createBody(inputs: ContainerInputs): object {
  const ports = portMaps(inputs.ports ?? []);
  const { binds, volumesFrom, volumes } = volumeParts(inputs.volumes ?? []);
  // `systempaths` is an option of the client: the engine knows only its two consequences.
  const securityOpts = inputs.securityOpts?.filter((option) => option !== UNCONFINED_PATHS);
  const openPaths = inputs.securityOpts?.includes(UNCONFINED_PATHS) ? [] : undefined;
  return {
    Image: inputs.image,
    Hostname: inputs.hostname,
    Domainname: inputs.domainname,
    Cmd: inputs.command,
    Entrypoint: inputs.entrypoints,
    Env: inputs.envs,
    User: inputs.user,
    WorkingDir: inputs.workingDir,
    Labels: labelMap(inputs.labels),
    ExposedPorts: ports.exposed,
    Volumes: volumes,
    Tty: inputs.tty,
    OpenStdin: inputs.stdinOpen,
    StopSignal: inputs.stopSignal,
    StopTimeout: inputs.stopTimeout,
    Healthcheck: inputs.healthcheck && {
      Test: inputs.healthcheck.tests,
      Interval: nanoseconds(inputs.healthcheck.interval),
      Timeout: nanoseconds(inputs.healthcheck.timeout),
      StartPeriod: nanoseconds(inputs.healthcheck.startPeriod),
      Retries: inputs.healthcheck.retries,
    },
    HostConfig: {
      ...liveLimits(inputs),
      NanoCpus: inputs.cpus === undefined ? undefined : Math.round(Number(inputs.cpus) * 1e9),
      // `cpus` wins over the period and quota that it stands for.
      CpuPeriod: inputs.cpus === undefined ? inputs.cpuPeriod : undefined,
      CpuQuota: inputs.cpus === undefined ? inputs.cpuQuota : undefined,
      AutoRemove: inputs.rm,
      Binds: binds,
      CapAdd: inputs.capabilities?.adds,
      CapDrop: inputs.capabilities?.drops,
      CgroupParent: inputs.cgroupParent,
      CgroupnsMode: inputs.cgroupnsMode,
      Devices: inputs.devices?.map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath || device.hostPath,
        CgroupPermissions: device.permissions || 'rwm',
      })),
      Dns: inputs.dns,
      DnsOptions: inputs.dnsOpts,
      DnsSearch: inputs.dnsSearches,
      ExtraHosts: inputs.hosts?.map(({ host, ip }) => `${host}:${ip}`),
      GroupAdd: inputs.groupAdds,
      Init: inputs.init ?? false,
      IpcMode: inputs.ipcMode,
      LogConfig: { Type: inputs.logDriver, Config: inputs.logOpts },
      MaskedPaths: openPaths,
      NetworkMode: inputs.networkMode,
      PidMode: inputs.pidMode,
      PortBindings: ports.bindings,
      Privileged: inputs.privileged,
      PublishAllPorts: inputs.publishAllPorts,
      ReadonlyPaths: openPaths,
      ReadonlyRootfs: inputs.readOnly,
      Runtime: inputs.runtime,
      SecurityOpt: securityOpts,
      ShmSize: mebibytes(inputs.shmSize),
      Sysctls: inputs.sysctls,
      Tmpfs: inputs.tmpfs,
      Ulimits: inputs.ulimits?.map(({ name, soft, hard }) => ({
        Name: name,
        Soft: soft,
        Hard: hard,
      })),
      UsernsMode: inputs.usernsMode,
      VolumesFrom: volumesFrom,
    },
  };
}

const UNCONFINED_PATHS = 'systempaths=unconfined';

/** The limits that the engine can change on a running container. */
export function liveLimits(inputs: ContainerInputs): object {
  return {
    CpuShares: inputs.cpuShares,
    CpusetCpus: inputs.cpuSet,
    Memory: mebibytes(inputs.memory),
    MemoryReservation: mebibytes(inputs.memoryReservation),
    // -1 is no limit at all.
    MemorySwap: inputs.memorySwap === -1 ? -1 : mebibytes(inputs.memorySwap),
    RestartPolicy: { Name: inputs.restart, MaximumRetryCount: inputs.maxRetryCount },
  };
}

const mebibytes = (amount: number | undefined) => (amount === undefined ? undefined : amount * MIB);

const UNIT_NS: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A Go duration such as `1m30s` in nanoseconds; an empty one is 0, which is the engine's default. */
export function nanoseconds(duration = ''): number {
  if (duration === '' || duration === '0') return 0;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.map(([part]) => part).join('') !== duration) {
    throw new Error(`${JSON.stringify(duration)} is not a duration such as "5s" or "1m30s"`);
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNIT_NS[unit ?? 's']!, 0);
}

function portMaps(ports: NonNullable<ContainerInputs['ports']>): {
  exposed: Record<string, object>;
  bindings: Record<string, { HostIp: string; HostPort: string }[]>;
} {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { internal, external = 0, ip = '0.0.0.0', protocol = 'tcp' } of ports) {
    const key = `${internal}/${protocol}`;
    exposed[key] = {};
    // Port 0 lets the engine choose one.
    (bindings[key] ??= []).push({ HostIp: ip, HostPort: String(external) });
  }
  return { exposed, bindings };
}

function volumeParts(entries: NonNullable<ContainerInputs['volumes']>): {
  binds: string[];
  volumesFrom: string[];
  volumes: Record<string, object>;
} {
  const parts = { binds: [] as string[], volumesFrom: [] as string[], volumes: {} as never };
  for (const { containerPath, hostPath, volumeName, fromContainer, ...how } of entries) {
    if (!fromContainer === !containerPath) {
      throw new Error('a volume needs either containerPath or fromContainer');
    }
    if (fromContainer) {
      parts.volumesFrom.push(fromContainer);
      continue;
    }
    Object.assign(parts.volumes, { [`${containerPath}`]: {} });
    const source = hostPath || volumeName;
    const mode = [how.readOnly ? 'ro' : 'rw', how.selinuxRelabel].filter(Boolean).join();
    if (source) parts.binds.push(`${source}:${containerPath}:${mode}`);
  }
  return parts;
}
