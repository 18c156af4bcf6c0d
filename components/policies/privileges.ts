import { containersOf, fieldsAt, labelOf, listAt, podOf, type Fields } from './pods';
import type { EstatePolicy, Violation } from './types';

/** The namespaces of the node that a pod must not share. */
const HOST_NAMESPACES = ['hostNetwork', 'hostPID', 'hostIPC'];

/** No pod has more rights on its node than the `restricted` Pod Security level gives. */
export const noPrivilegedPods: EstatePolicy = {
  name: 'no-privileged-pods',
  description:
    'Pods are not privileged, not root, and see nothing of their node, but for the named ones',
  violations: (resource) => {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    return [
      ...HOST_NAMESPACES.filter((key) => pod[key] === true).map((key) => ({
        subject: key,
        text: `the pod has ${key}: take it out`,
      })),
      ...listAt(pod, 'volumes')
        .filter((volume) => volume.hostPath !== undefined)
        .map((volume) => ({
          subject: `volume ${String(volume.name)}`,
          text: `volume ${String(volume.name)} is a hostPath: use an emptyDir or a claim`,
        })),
      ...containersOf(pod).flatMap((container) => privileges(pod, container)),
    ];
  },
};

function privileges(pod: Fields, container: Fields): Violation[] {
  const own = fieldsAt(container, 'securityContext');
  const ofPod = fieldsAt(pod, 'securityContext');
  const at = 'securityContext';
  const found: string[] = [];
  if (own.privileged === true) found.push(`${at}.privileged: must not be true`);
  if (own.allowPrivilegeEscalation !== false)
    found.push(`${at}.allowPrivilegeEscalation: must be false`);
  if ((own.runAsNonRoot ?? ofPod.runAsNonRoot) !== true || (own.runAsUser ?? ofPod.runAsUser) === 0)
    found.push(`${at}.runAsNonRoot: must be true, with a user other than 0`);
  const added = fieldsAt(own, 'capabilities').add;
  if (Array.isArray(added) && added.length > 0) found.push(`${at}.capabilities.add: must be empty`);
  return found.map((what) => ({
    subject: labelOf(container),
    text: `${labelOf(container)}: ${what}`,
  }));
}
