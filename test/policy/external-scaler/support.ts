import type { ObservedNode } from '../../../runtime/node-availability/types';
import type { Clock } from '../../../runtime/shared/clock';
import type { Reading } from '../../../runtime/shared/freshness';
import { parseSettings } from '../../../runtime/shared/settings';
import { createMetrics } from '../../../runtime/shared/metrics';
import { externalScalerMetrics } from '../../../runtime/external-scaler/metrics';
import { Scaler } from '../../../runtime/external-scaler/scaler';
import {
  externalScalerSettings,
  type ExternalScalerSettings,
} from '../../../runtime/external-scaler/settings';
import type { ControllerWord } from '../../../runtime/external-scaler/ports';
import { Cluster } from '../../../runtime/external-scaler/state/cluster';
import type { Decision, Demand, JobInfo } from '../../../runtime/external-scaler/types';

/** A time that only moves when it is told to; the wall clock starts at some other value. */
export class ManualClock implements Clock {
  atMs = 0;
  nowMs(): number {
    return 1_000_000 + this.atMs;
  }
  monotonicMs(): number {
    return this.atMs;
  }
  sleep(): Promise<void> {
    throw new Error('nothing here sleeps');
  }
}

/** An eligible node, ready and idle. */
export const eligibleNode = (name: string, slot?: number): ObservedNode => ({
  name,
  labels: {
    'posture/eligible': 'true',
    ...(slot !== undefined && { 'posture/slot': `slot-${slot}` }),
  },
  ready: true,
  unschedulable: false,
  taints: [],
  internalIps: [],
  hostnames: [],
});

export const key = (name: string): string => `posture/${name}`;

/** A scaler on a cluster that a test shapes; it grants from the start unless START_HOLD_MS is given. */
export class Bench {
  readonly clock = new ManualClock();
  readonly cluster: Cluster;
  readonly scaler: Scaler;
  readonly settings: ExternalScalerSettings;
  /** CPU by node; one that is not here is unknown. Readings are as new as the clock says when they are set. */
  readonly cpu = new Map<string, Reading<number>>();
  readonly watch = { synced: true, silentMs: 0 };
  cpuProblem: string | undefined;
  /** Set to play the node-controller. */
  word: ControllerWord | undefined;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.settings = parseSettings(externalScalerSettings, { START_HOLD_MS: '0', ...env });
    this.cluster = new Cluster(() => this.scaler?.changed());
    const problem = (): string | undefined => this.cpuProblem;
    this.scaler = new Scaler(
      {
        cluster: this.cluster,
        watch: this.watch,
        cpu: {
          reading: (node) => this.cpu.get(node) ?? { state: 'unknown', why: 'never read' },
          get problem() {
            return problem();
          },
        },
        ...(this.settings.controllerUrl !== '' && {
          controller: { last: () => this.word, problem: undefined },
        }),
      },
      this.settings,
      this.clock,
      externalScalerMetrics(createMetrics('external_scaler', { processMetrics: false })),
    );
  }

  /** Adds idle nodes of these names, with the slots 1, 2 … in order. */
  nodes(...names: readonly string[]): void {
    for (const [index, name] of names.entries()) {
      this.heat(name, 0.1);
      this.cluster.setNode(eligibleNode(name, index + 1));
    }
  }

  heat(node: string, cpuRatio: number): void {
    this.cpu.set(node, { state: 'known', value: cpuRatio, takenAtMs: this.clock.nowMs() });
    this.scaler.changed();
  }

  scaledJobs(...names: readonly string[]): void {
    for (const name of names) this.scaledJob(name, 1);
  }

  scaledJob(name: string, generation: number, paused = false): void {
    this.cluster.setScaledJob({ key: key(name), uid: `uid-${name}`, generation, paused });
  }

  job(scaledJob: string, phase: JobInfo['phase'], name = `${scaledJob}-1`, generation = 1): void {
    this.cluster.setJob({
      uid: `uid-${name}`,
      name,
      scaledJob: key(scaledJob),
      ownerUid: `uid-${scaledJob}`,
      generation,
      phase,
    });
  }

  pod(job: string, node: string | null, scaledJob: string): void {
    this.cluster.setPod({ uid: `pod-${job}`, job, scaledJob: key(scaledJob), node });
  }

  endPod(job: string): void {
    this.cluster.removePod(`pod-${job}`);
  }

  ask(name: string, demand: Partial<Demand> = {}): Decision {
    return this.scaler.request(key(name), this.demand(demand));
  }

  demand(demand: Partial<Demand> = {}): Demand {
    const { cpuThreshold, mode } = this.settings;
    return { thresholdRatio: cpuThreshold, slot: null, mode, ...demand };
  }
}
