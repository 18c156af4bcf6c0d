import type { EventWriter } from '../../shared/kubernetes/events';
import type { Notices } from '../ports';
import type { AskedPod } from '../types';

/** Tells by events on the pod. */
export class KubeNotices implements Notices {
  constructor(private readonly events: EventWriter) {}

  readingsUnknown({ namespace, name, uid }: AskedPod, nodes: number): void {
    this.events.record({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: 'Warning',
      reason: 'LatencyReadingsUnknown',
      action: 'Scheduling',
      note: `No node has a fresh probe: ${nodes} nodes pass with an equal score`,
    });
  }
}
