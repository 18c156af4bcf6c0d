import type { NodeOptions } from './flags';
import { addressAt } from './flags';
import { paths } from './paths';

const pki = (name: string): string => `${paths.pki}/${name}`;

/** Where a node's own etcd answers it; a lone server's answers nowhere else. */
export const etcdUrl = 'http://127.0.0.1:2379';

export const loneEtcdArgs: readonly string[] = [
  '--name=default',
  `--data-dir=${paths.etcd}`,
  `--listen-client-urls=${etcdUrl}`,
  `--advertise-client-urls=${etcdUrl}`,
  '--listen-peer-urls=http://127.0.0.1:2380',
  '--initial-advertise-peer-urls=http://127.0.0.1:2380',
  '--initial-cluster=default=http://127.0.0.1:2380',
  '--auto-compaction-retention=1',
  '--logger=zap',
  '--log-level=warn',
];

/** kube-apiserver's flags; RBAC and the node authorizer as in k3s. */
export function apiserverArgs(options: NodeOptions, nodeAddress: string): string[] {
  return [
    `--advertise-address=${nodeAddress}`,
    `--secure-port=${options.httpsPort}`,
    `--etcd-servers=${etcdUrl}`,
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--anonymous-auth=false',
    '--profiling=false',
    `--service-cluster-ip-range=${options.serviceCidr}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
    `--requestheader-client-ca-file=${pki('request-header-ca.crt')}`,
    '--requestheader-allowed-names=system:auth-proxy',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--api-audiences=https://kubernetes.default.svc.cluster.local,k3s',
    `--service-account-key-file=${pki('service-account.key')}`,
    `--service-account-signing-key-file=${pki('service-account.key')}`,
  ];
}

/** kube-controller-manager's flags. */
export function controllerManagerArgs(
  options: NodeOptions,
  kubeconfig: string,
  isOneOfMany: boolean,
): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--leader-elect=${isOneOfMany}`,
    '--profiling=false',
    '--use-service-account-credentials=true',
    '--allocate-node-cidrs=true',
    `--cluster-cidr=${options.clusterCidr}`,
    `--service-cluster-ip-range=${options.serviceCidr}`,
    `--root-ca-file=${pki('ca.crt')}`,
    `--service-account-private-key-file=${pki('service-account.key')}`,
    `--cluster-signing-cert-file=${pki('ca.crt')}`,
    `--cluster-signing-key-file=${pki('ca.key')}`,
  ];
}

/** kube-scheduler's flags. */
export function schedulerArgs(kubeconfig: string, isOneOfMany: boolean): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--leader-elect=${isOneOfMany}`,
    '--profiling=false',
  ];
}

/** Names and addresses that the API server's certificate must carry. */
export function apiserverSans(
  options: NodeOptions,
  nodeAddress: string,
  hostname: string,
): string[] {
  return [
    ...new Set([
      ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ...['kubernetes.default.svc.cluster.local', 'localhost', '127.0.0.1'],
      ...[addressAt(options.serviceCidr, 1), nodeAddress, hostname, options.nodeName],
      ...options.tlsSans,
    ]),
  ];
}
