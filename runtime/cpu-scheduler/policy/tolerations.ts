import type { Taint, Toleration } from '../../shared/kubernetes/types';

const DECIMAL = /^(0|-?[1-9]\d*)$/;

/** Whether one toleration covers a taint, by the rules of the API: an empty key or effect covers all. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
    case 'Gt': {
      const wanted = toleration.value ?? '';
      const actual = taint.value ?? '';
      if (!DECIMAL.test(wanted) || !DECIMAL.test(actual)) return false;
      return toleration.operator === 'Lt'
        ? BigInt(actual) < BigInt(wanted)
        : BigInt(actual) > BigInt(wanted);
    }
    default:
      return false;
  }
}

/** Whether any of a pod's tolerations covers a taint. */
export const toleratedBy = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));
