import type { EventRecord, EventWriter } from '../../shared/kubernetes/events';
import type { Notices } from '../ports';
import type { PodRef } from '../types';

/** Tells by events on the pod, in the words and with the actions of kube-scheduler where it has some. */
export class KubeNotices implements Notices {
  constructor(private readonly events: EventWriter) {}

  scheduled(pod: PodRef, node: string): void {
    const note = `Successfully assigned ${pod.namespace}/${pod.name} to ${node}`;
    this.#record(pod, 'Normal', 'Scheduled', 'Binding', note);
  }

  failedScheduling(pod: PodRef, message: string): void {
    this.#record(pod, 'Warning', 'FailedScheduling', 'Scheduling', message);
  }

  readingsUnknown(pod: PodRef, node: string): void {
    const note = `No CPU reading is known: chose ${node} by requested CPU`;
    this.#record(pod, 'Warning', 'CpuReadingsUnknown', 'Scheduling', note);
  }

  offloaded(pod: PodRef, message: string): void {
    this.#record(pod, 'Normal', 'Offloaded', 'Evicting', message);
  }

  #record(
    { namespace, name, uid }: PodRef,
    type: EventRecord['type'],
    reason: string,
    action: string,
    note: string,
  ): void {
    const regarding = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
    this.events.record({ regarding, type, reason, action, note });
  }
}
