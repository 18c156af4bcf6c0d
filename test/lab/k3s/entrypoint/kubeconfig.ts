/** Who a kubeconfig speaks as, and to whom. Certificates and keys are PEM text. */
export interface Identity {
  server: string;
  ca: string;
  cert: string;
  key: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with everything inside it, shaped as k3s writes it (all names are "default"). */
export function kubeconfig(identity: Identity): string {
  return `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: ${base64(identity.ca)}
    server: ${identity.server}
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    client-certificate-data: ${base64(identity.cert)}
    client-key-data: ${base64(identity.key)}
`;
}
