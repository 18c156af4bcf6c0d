import type { WorkerMould } from '../../../runtime/autoscaler/containers/worker-template';

/** A mould with something in every field. @param change replaces fields of the container */
export const mouldOf = (
  change: Partial<WorkerMould['template']['container']> = {},
): WorkerMould => ({
  clusterToken: 'a-token-that-nobody-may-see',
  template: {
    estate: 'quay',
    network: 'quay',
    container: {
      image: 'rancher/k3s:v1.36.3-k3s1',
      command: ['agent', '--kubelet-arg', 'system-reserved=cpu=3000m'],
      environment: { K3S_URL: 'https://server:6443' },
      cpus: 0.5,
      memoryMb: 512,
      privileged: false,
      capabilities: ['SYS_ADMIN', 'NET_ADMIN'],
      securityOptions: ['seccomp=unconfined', 'systempaths=unconfined'],
      devices: [{ hostPath: '/dev/kmsg', containerPath: '/dev/kmsg' }],
      mounts: [
        { hostPath: '/lib/modules', containerPath: '/lib/modules', readOnly: true },
        { hostPath: '/sys/fs/cgroup', containerPath: '/sys/fs/cgroup', readOnly: false },
      ],
      tmpfs: ['/run', '/tmp'],
      cgroupnsMode: 'host',
      volumePaths: ['/var/lib/rancher/k3s', '/var/log'],
      files: { '/etc/rancher/k3s/registries.yaml': '{"mirrors":{}}' },
      stopSeconds: 30,
      ...change,
    },
  },
});
