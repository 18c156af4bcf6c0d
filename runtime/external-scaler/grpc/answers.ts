import { status } from '@grpc/grpc-js';
import { MetadataError, parseMetadata, type TriggerOptions } from '../policy/metadata';
import type { Scaler } from '../scaler';
import type {
  GetMetricSpecResponse,
  GetMetricsRequest,
  GetMetricsResponse,
  IsActiveResponse,
  ScaledObjectRef,
} from './messages';

/** A call that is refused, with its gRPC status. */
export class Refusal extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** A ScaledJob that asks. */
export interface Asker extends TriggerOptions {
  readonly key: string;
}

/** What the calls answer. Nothing here waits for anything. */
export class Answers {
  constructor(private readonly scaler: Scaler) {}

  isActive(ref: ScaledObjectRef): IsActiveResponse {
    const { key, demand } = this.askerOf(ref);
    return { result: this.scaler.request(key, demand).value === 1 };
  }

  /** What isActive would answer; neither promises a berth nor takes a place in the queue. */
  wouldBeActive({ key, demand }: Asker): boolean {
    return this.scaler.peek(key, demand).value === 1;
  }

  /**
   * Answers for bad metadata as well: KEDA drops a trigger without metric specs and says so only in its log, whereas
   * an error of the calls that follow becomes an event of the ScaledJob.
   */
  getMetricSpec(ref: ScaledObjectRef): GetMetricSpecResponse {
    let { metricName } = this.scaler.settings;
    try {
      metricName = this.askerOf(ref).metricName;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    return { metricSpecs: [{ metricName, targetSize: 1, targetSizeFloat: 1 }] };
  }

  getMetrics({ scaledObjectRef, metricName }: GetMetricsRequest): GetMetricsResponse {
    const asker = this.askerOf(scaledObjectRef);
    if (metricName !== '' && metricName !== asker.metricName)
      throw new Refusal(
        status.INVALID_ARGUMENT,
        `metricName ${JSON.stringify(metricName)}: must be ${asker.metricName}`,
      );
    const { value } = this.scaler.request(asker.key, asker.demand);
    return {
      metricValues: [{ metricName: asker.metricName, metricValue: value, metricValueFloat: value }],
    };
  }

  /** Who asks, and for what. @throws Refusal INVALID_ARGUMENT naming what is wrong. */
  askerOf(ref: ScaledObjectRef | null): Asker {
    const { settings } = this.scaler;
    if (ref === null || ref.name === '')
      throw new Refusal(status.INVALID_ARGUMENT, 'name: must be that of a ScaledJob');
    if (ref.namespace !== settings.namespace)
      throw new Refusal(
        status.INVALID_ARGUMENT,
        `namespace ${JSON.stringify(ref.namespace)}: must be ${settings.namespace}, the only one this scaler serves`,
      );
    try {
      const options = parseMetadata(ref.scalerMetadata ?? {}, settings);
      return { key: `${ref.namespace}/${ref.name}`, ...options };
    } catch (error) {
      if (error instanceof MetadataError) throw new Refusal(status.INVALID_ARGUMENT, error.message);
      throw error;
    }
  }
}
