import { fieldsAt } from './pods';
import type { EstatePolicy } from './types';

const LEVEL = 'pod-security.kubernetes.io/enforce';
const EXACT_VERSION = /^v?\d+\.\d+\.\d+([-+][\w.+-]+)?$/;
/** A chart in a folder or a file is the version that it is. */
const LOCAL_CHART = /^(\.{0,2}\/|file:)/;

/** Nobody's pods have more rights than `restricted` gives where the cluster itself does not let them. */
export const restrictedNamespaces: EstatePolicy = {
  name: 'restricted-namespaces',
  description: 'Every namespace enforces the restricted Pod Security level, but for the named ones',
  violations: ({ type, inputs }) => {
    if (type !== 'kubernetes:core/v1:Namespace') return [];
    const level = fieldsAt(inputs, 'metadata', 'labels')[LEVEL];
    if (level === 'restricted') return [];
    return [
      {
        subject: 'labels',
        text: `metadata.labels["${LEVEL}"]: ${String(level)} must be restricted`,
      },
    ];
  },
};

/** A range, or no version, is another chart whenever its publisher says so. */
export const helmVersionsPinned: EstatePolicy = {
  name: 'helm-versions-pinned',
  description: 'Every Helm release names one version of its chart',
  violations: ({ type, inputs }) => {
    if (type !== 'kubernetes:helm.sh/v3:Release') return [];
    const { chart, version } = inputs;
    if (typeof chart === 'string' && LOCAL_CHART.test(chart)) return [];
    if (typeof version === 'string' && EXACT_VERSION.test(version)) return [];
    const is = typeof version === 'string' && version !== '' ? version : 'missing';
    return [{ subject: 'version', text: `version: ${is}; it must be one version such as 2.21.0` }];
  },
};
