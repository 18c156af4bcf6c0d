import { status, type handleServerStreamingCall, type handleUnaryCall } from '@grpc/grpc-js';
import type { Server } from '@grpc/grpc-js';
import { healthPackage } from './definitions';
import { serviceOf } from './service-of';

interface HealthRequest {
  readonly service: string;
}
interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

/** grpc.health.v1 for the server as a whole ('') and the services it is told of; all are in the same state. */
export class Health {
  #serving = false;
  readonly #watchers = new Set<() => void>();
  readonly #services: ReadonlySet<string>;

  constructor(services: readonly string[]) {
    this.#services = new Set(['', ...services]);
  }

  set serving(serving: boolean) {
    if (serving === this.#serving) return;
    this.#serving = serving;
    for (const tell of this.#watchers) tell();
  }

  addTo(server: Server): void {
    const stateOf = (service: string): HealthResponse => ({
      status: !this.#services.has(service)
        ? 'SERVICE_UNKNOWN'
        : this.#serving
          ? 'SERVING'
          : 'NOT_SERVING',
    });
    const check: handleUnaryCall<HealthRequest, HealthResponse> = ({ request }, callback) => {
      const state = stateOf(request.service);
      if (state.status !== 'SERVICE_UNKNOWN') callback(null, state);
      else callback({ code: status.NOT_FOUND, details: `no such service: ${request.service}` });
    };
    const watch: handleServerStreamingCall<HealthRequest, HealthResponse> = (call) => {
      const tell = (): void => void call.write(stateOf(call.request.service));
      tell();
      this.#watchers.add(tell);
      call.on('cancelled', () => {
        this.#watchers.delete(tell);
        call.end();
      });
    };
    const list: handleUnaryCall<object, object> = (_call, callback) =>
      callback(null, {
        statuses: Object.fromEntries([...this.#services].map((name) => [name, stateOf(name)])),
      });
    server.addService(serviceOf(healthPackage, 'grpc.health.v1.Health'), { check, watch, list });
  }
}
