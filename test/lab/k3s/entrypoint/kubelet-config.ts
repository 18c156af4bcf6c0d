import { stringify } from 'yaml';
import { paths } from './paths';

/** What differs from node to node in a kubelet's configuration. */
export interface KubeletSettings {
  /** The container's own cgroup, so that the container's limits bound its pods. */
  cgroupRoot: string;
  clusterDns: string;
  caFile: string;
  servingCert: string;
  servingKey: string;
}

/** The kubelet's configuration file. */
export function kubeletConfig(settings: KubeletSettings): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: settings.caFile },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: settings.servingCert,
    tlsPrivateKeyFile: settings.servingKey,
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: settings.cgroupRoot,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ['pods'],
    failCgroupV1: false,
    failSwapOn: false,
    // Without CAP_SYS_RESOURCE no process may lower its own score.
    oomScoreAdj: 0,
    clusterDNS: [settings.clusterDns],
    clusterDomain: 'cluster.local',
    resolvConf: paths.resolvConf,
    volumePluginDir: '/var/lib/kubelet/volumeplugins',
    serializeImagePulls: false,
    registryPullQPS: 0,
    // The disk is the machine's, shared with everything else on it: full is somebody else's alarm.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    nodeStatusUpdateFrequency: '4s',
    nodeStatusReportFrequency: '1m',
    // Renewed every two seconds: after a change of k3s, Berth awaits the next renewal.
    nodeLeaseDurationSeconds: 8,
    maxPods: 110,
  });
}
