const LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** Whether a node with these labels is one of the control plane, and so no worker. */
export const isControlPlane = (labels: Readonly<Record<string, string>>): boolean =>
  LABELS.some((label) => Object.hasOwn(labels, label));
