/** How Docker must run a container that is a node. */
export interface NodeContainerOptions {
  privileged: boolean;
  capabilities: string[];
  securityOptions: string[];
  devices: { hostPath: string; containerPath: string }[];
  mounts: { hostPath: string; containerPath: string; readOnly: boolean }[];
  tmpfs: string[];
  cgroupnsMode: 'host' | 'private';
}

/** What a node needs where Docker cannot give privileged containers: all of it, said one by one. */
export const k3sContainerOptions: NodeContainerOptions = {
  privileged: false,
  // Every capability that Docker 20.10 knows but SYS_RESOURCE, which the machine itself may lack.
  capabilities: [
    ...['AUDIT_CONTROL', 'AUDIT_READ', 'AUDIT_WRITE', 'BLOCK_SUSPEND', 'CHOWN', 'DAC_OVERRIDE'],
    ...['DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'IPC_LOCK', 'IPC_OWNER', 'KILL', 'LEASE'],
    ...['LINUX_IMMUTABLE', 'MAC_ADMIN', 'MAC_OVERRIDE', 'MKNOD', 'NET_ADMIN', 'NET_BIND_SERVICE'],
    ...['NET_BROADCAST', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYSLOG'],
    ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_CHROOT', 'SYS_MODULE', 'SYS_NICE', 'SYS_PACCT'],
    ...['SYS_PTRACE', 'SYS_RAWIO', 'SYS_TIME', 'SYS_TTY_CONFIG', 'WAKE_ALARM'],
  ],
  securityOptions: ['seccomp=unconfined', 'apparmor=unconfined'],
  devices: [
    { hostPath: '/dev/kmsg', containerPath: '/dev/kmsg' },
    { hostPath: '/dev/fuse', containerPath: '/dev/fuse' },
  ],
  mounts: [{ hostPath: '/sys/fs/cgroup', containerPath: '/sys/fs/cgroup', readOnly: false }],
  tmpfs: ['/run', '/tmp'],
  cgroupnsMode: 'host',
};
