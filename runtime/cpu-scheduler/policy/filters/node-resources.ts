import type { Filter } from '../filter';

/** Requests against what is allocatable and not yet requested by others, and the number of pods. */
export const nodeResources: Filter = {
  rule: 'NodeResourcesFit',
  check: ({ requests }, { info, requested, podCount }) => {
    const reasons: string[] = [];
    if (podCount + 1 > info.allocatablePods) reasons.push('Too many pods');
    const { allocatable } = info;
    const lacks = (wanted: number, has: number, used: number): boolean =>
      wanted > 0 && wanted > has - used;
    if (lacks(requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis)) {
      reasons.push('Insufficient cpu');
    }
    if (lacks(requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes)) {
      reasons.push('Insufficient memory');
    }
    if (
      lacks(
        requests.ephemeralStorageBytes,
        allocatable.ephemeralStorageBytes,
        requested.ephemeralStorageBytes,
      )
    ) {
      reasons.push('Insufficient ephemeral-storage');
    }
    for (const [name, wanted] of requests.others) {
      const has = allocatable.others.get(name) ?? 0;
      if (lacks(wanted, has, requested.others.get(name) ?? 0)) {
        reasons.push(`Insufficient ${name}`);
      }
    }
    return reasons.length === 0 ? undefined : reasons;
  },
};
