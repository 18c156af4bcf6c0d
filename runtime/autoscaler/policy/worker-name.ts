const NAME = /^k3s-worker-([1-9]\d{0,8})$/;

/** The name of the container and the node of a worker. */
export const workerName = (number: number): string => `k3s-worker-${number}`;

/** N of k3s-worker-N, from 1 on; null for any other name. */
export function workerNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}
