import { seenAt, type Reading } from '../../shared/freshness';
import { rulesOf } from '../policy/rules';
import type { LiveState } from '../ports';
import type { Autoscaler } from '../service';
import { autoscalerSettings } from '../settings';
import type { Term } from '../term';
import type { ScalingEvent } from '../types';
import { Refusal, type Control } from './control';
import { healthOf } from './health';
import type { DecisionsRequest, HistoryRequest, ScaleRequest } from './schemas';

type Json = Readonly<Record<string, unknown>>;

/** What the REST API of a running autoscaler shows and starts. */
export class LiveControl implements Control {
  constructor(
    private readonly autoscaler: Autoscaler,
    private readonly version: string,
    /** Makes the process end, as SIGTERM does. */
    private readonly end: () => void,
  ) {}

  info(): Json {
    return {
      ...{ service: 'autoscaler', version: this.version, ...this.#role() },
      ...{ dryRun: this.#parts.settings.dryRun, api: '/openapi.json' },
    };
  }

  health(): { readonly ok: boolean } & Json {
    return { ...healthOf(this.autoscaler), ...this.#role() };
  }

  metrics(): Json {
    const term = this.autoscaler.term;
    const last = term?.loop.last;
    if (last === undefined) return { ...this.#role(), decision: null };
    const { kind, reason, atMs, evidence } = last;
    const scaled = term?.loop.scaledAtMs;
    return {
      ...{ ...this.#role(), decision: kind, reason, atMs, ...evidence },
      cooldowns: { lastScaleUpAtMs: scaled?.up ?? 0, lastScaleDownAtMs: scaled?.down ?? 0 },
    };
  }

  nodeMetrics(): Json {
    const { view, clock, settings } = this.#parts;
    const shown = (reading: Reading<number>): Json => {
      const seen = seenAt(reading, clock.nowMs(), settings.readingMaxAgeMs);
      return seen.state === 'fresh' ? { ratio: seen.value, ageMs: seen.ageMs } : { ...seen };
    };
    const { nodes } = view.observe();
    return {
      nodes: [...nodes.values()].map((node) => ({
        ...{ name: node.info.name, worker: node.worker, ready: node.info.ready },
        ...{ cordoned: node.info.unschedulable, pods: node.podCount },
        ...{ cpu: shown(node.cpuRatio), memory: shown(node.memoryRatio) },
        requested: { cpuMillis: node.requested.cpuMillis, memoryBytes: node.requested.memoryBytes },
        allocatable: {
          ...{ cpuMillis: node.info.allocatable.cpuMillis, pods: node.info.allocatablePods },
          memoryBytes: node.info.allocatable.memoryBytes,
        },
      })),
    };
  }

  async workers(): Promise<Json> {
    const { live, containers } = this.#parts.outside;
    const [records, operations] = await Promise.all([live.workers(), live.operations()]);
    // Docker may be away; what is known then is shown all the same.
    const made = await containers.list().catch(() => undefined);
    const names = new Set([...records, ...(made ?? [])].map(({ name }) => name));
    return {
      docker: made === undefined ? 'unknown' : 'known',
      workers: [...names].sort().map((name) => ({
        name,
        record: records.find((one) => one.name === name) ?? null,
        container: made === undefined ? null : (made.find((one) => one.name === name) ?? null),
        operation: operations.find(({ worker }) => worker === name) ?? null,
      })),
    };
  }

  async history({ limit, since }: HistoryRequest): Promise<Json> {
    const { live, history } = this.#parts.outside;
    const sinceMs = since === undefined ? undefined : Date.parse(since);
    try {
      const events = await history.events({ limit, ...(sinceMs !== undefined && { sinceMs }) });
      return { source: 'mongodb', events: events.map(shownEvent) };
    } catch {
      // The recent ones are in Redis, too.
      const events = await recent(live, limit, sinceMs ?? 0);
      return { source: 'redis', events: events.map(shownEvent) };
    }
  }

  async decisions({ limit, since, before }: DecisionsRequest): Promise<Json> {
    const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
    const query = { limit, sinceMs: time(since), beforeMs: time(before) };
    const decisions = await this.#parts.decisions.list(query);
    return { decisions: decisions.map((one) => ({ ...one })) };
  }

  async initRules(): Promise<Json> {
    this.#leading();
    const { settings, decisions } = this.#parts;
    if (settings.dryRun) throw new Refusal('a dry run writes nothing');
    return { rules: await decisions.initRules(rulesOf(settings)) };
  }

  config(): Json {
    const values: Readonly<Record<string, unknown>> = this.#parts.settings;
    return Object.fromEntries(
      Object.entries(autoscalerSettings).map(([name, spec]) => {
        const value = values[name];
        const isSecret = 'secret' in spec && spec.secret;
        return [spec.env, isSecret ? '(secret)' : value instanceof Set ? [...value] : value];
      }),
    );
  }

  async scale({ action, count, reason }: ScaleRequest): Promise<Json> {
    const { loop } = this.#leading();
    const { dryRun, maxNodes } = this.#parts.settings;
    if (!loop.started) throw new Refusal('the journal has not been read yet');
    if (dryRun)
      return {
        ...{ action, dryRun, operations: [] },
        would: action === 'scale_up' ? { count } : loop.removable(count),
      };
    const { begun, refused, kept } =
      action === 'scale_up'
        ? { ...(await loop.scaleUp(count, reason)), kept: [] }
        : await loop.scaleDown(count, reason);
    if (begun.length === 0) {
      const whys = [
        ...refused.map((one) => `${one.worker}: ${one.why}`),
        ...kept.map((one) => `${one.node}: ${one.why}`),
      ];
      if (action === 'scale_up') throw new Refusal(`there are ${maxNodes} workers at most`);
      throw new Refusal(['no worker can go', ...whys].join('; '));
    }
    const operations = begun.map(({ id, kind, worker }) => ({ id, kind, worker }));
    return { action, operations, refused, kept };
  }

  async cycle(): Promise<Json> {
    const decision = this.#leading().cycle();
    if (decision === undefined)
      throw new Refusal(
        'it cannot decide now: operations are beginning, or the journal is not read',
      );
    return { ...decision };
  }

  async stop(): Promise<Json> {
    this.end();
    return { stopping: true };
  }

  reconciliationStatus(): Json {
    const { reconcileIntervalMs: intervalMs } = this.#parts.settings;
    const last = this.autoscaler.term?.loop.lastReconciliation ?? null;
    return { ...this.#role(), intervalMs, last };
  }

  async triggerReconciliation(): Promise<Json> {
    return { ...(await this.#leading().reconcile()) };
  }

  get #parts(): Autoscaler['parts'] {
    return this.autoscaler.parts;
  }

  #role(): { readonly role: string; readonly leader: string | null } {
    const leader = this.#parts.leadership.holder ?? null;
    return { role: this.autoscaler.term === undefined ? 'standby' : 'leader', leader };
  }

  /** @throws Refusal on a replica that stands by */
  #leading(): Term {
    const { term } = this.autoscaler;
    if (term !== undefined) return term;
    throw new Refusal(
      `this replica stands by; the leader is ${this.#parts.leadership.holder ?? 'not known'}`,
    );
  }
}

async function recent(
  live: Pick<LiveState, 'recentEvents'>,
  limit: number,
  sinceMs: number,
): Promise<readonly ScalingEvent[]> {
  return (await live.recentEvents(limit)).filter(({ atMs }) => atMs >= sinceMs);
}

const shownEvent = (event: ScalingEvent): Json => ({
  ...event,
  at: new Date(event.atMs).toISOString(),
});
