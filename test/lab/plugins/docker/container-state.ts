import type { Props } from '../shared';

/** What the engine says of a container. */
export interface ContainerInfo {
  Id: string;
  Name: string;
  Image: string;
  Platform: string;
  State: { Running: boolean; ExitCode: number; Health?: { Status: string } };
  Config: {
    Hostname: string;
    Image: string;
    Cmd: string[] | null;
    Entrypoint: string[] | null;
    StopSignal?: string;
    StopTimeout?: number;
  };
  HostConfig: {
    CpusetCpus: string;
    CpuShares: number;
    Init: boolean | null;
    IpcMode: string;
    LogConfig: { Type: string };
    Memory: number;
    MemoryReservation: number;
    MemorySwap: number;
    NanoCpus: number;
    Privileged: boolean;
    RestartPolicy: { Name: string; MaximumRetryCount: number };
    Runtime: string;
    ShmSize: number;
  };
  NetworkSettings: { Bridge: string; Networks: Record<string, Endpoint> | null };
}

interface Endpoint {
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
}

const MIB = 1024 * 1024;

/**
 * The outputs of a container: its inputs, and what the engine chose. A container that must run and does not has
 * `mustRun: false`, which the next update sees as a change and mends by starting it.
 */
export function outputsOf(inputs: Props, info: ContainerInfo, logs?: string): Props {
  const { Config: config, HostConfig: host, State: state } = info;
  const chosen: Props = {
    command: config.Cmd ?? [],
    entrypoints: config.Entrypoint ?? [],
    envs: [],
    hostname: config.Hostname,
    init: host.Init ?? false,
    ipcMode: host.IpcMode,
    labels: [],
    logDriver: host.LogConfig.Type,
    platform: info.Platform,
    runtime: host.Runtime,
    securityOpts: [],
    shmSize: Math.floor(host.ShmSize / MIB),
    stopSignal: config.StopSignal ?? '',
    stopTimeout: config.StopTimeout ?? 0,
  };
  return {
    ...chosen,
    ...inputs,
    name: info.Name.replace(/^\//, ''),
    mustRun: inputs.mustRun === true && state.Running,
    bridge: info.NetworkSettings.Bridge,
    containerLogs: logs ?? '',
    exitCode: state.Running ? 0 : state.ExitCode,
    networkDatas: networkDatas(info.NetworkSettings.Networks ?? {}),
  };
}

function networkDatas(networks: Record<string, Endpoint>): Props[] {
  return Object.keys(networks)
    .sort()
    .map((networkName) => {
      const endpoint = networks[networkName]!;
      return {
        networkName,
        ipAddress: endpoint.IPAddress,
        ipPrefixLength: endpoint.IPPrefixLen,
        gateway: endpoint.Gateway,
        globalIpv6Address: endpoint.GlobalIPv6Address,
        globalIpv6PrefixLength: endpoint.GlobalIPv6PrefixLen,
        ipv6Gateway: endpoint.IPv6Gateway,
        macAddress: endpoint.MacAddress,
      };
    });
}

/**
 * The inputs that a refresh finds: those the program gave, with the values that the container has now where
 * something outside can have changed them.
 */
export function inputsNow(inputs: Props, info: ContainerInfo): Props {
  const { HostConfig: host } = info;
  const mebibytes = (bytes: number) => (bytes > 0 ? Math.floor(bytes / MIB) : bytes);
  const found: Props = {
    cpuSet: host.CpusetCpus,
    cpuShares: host.CpuShares,
    maxRetryCount: host.RestartPolicy.MaximumRetryCount,
    memory: mebibytes(host.Memory),
    memoryReservation: mebibytes(host.MemoryReservation),
    memorySwap: mebibytes(host.MemorySwap),
    mustRun: inputs.mustRun === true && info.State.Running,
    name: info.Name.replace(/^\//, ''),
    privileged: host.Privileged,
    restart: host.RestartPolicy.Name || 'no',
  };
  if (typeof inputs.image === 'string') {
    found.image = inputs.image.startsWith('sha256:') ? info.Image : info.Config.Image;
  }
  if (Number(inputs.cpus) * 1e9 !== host.NanoCpus) found.cpus = String(host.NanoCpus / 1e9);
  const given = Object.entries(found).filter(([key]) => inputs[key] !== undefined);
  return { ...inputs, ...Object.fromEntries(given) };
}

/** What is needed to adopt a container that the program does not know yet. */
export function importedInputs(info: ContainerInfo): Props {
  return { image: info.Config.Image, name: info.Name.replace(/^\//, ''), mustRun: true };
}
