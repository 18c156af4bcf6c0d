import {
  Server,
  status,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Logger } from '../../shared/log';
import type { ServerTls } from '../adapters/tls';
import type { ExternalScalerMetrics } from '../metrics';
import type { Scaler } from '../scaler';
import { Answers, Refusal } from './answers';
import { healthPackage, scalerPackage } from './definitions';
import { Health } from './health';
import type { IsActiveResponse, ScaledObjectRef } from './messages';
import { addReflection } from './reflection';
import { serviceOf } from './service-of';

const SERVICE = 'externalscaler.ExternalScaler';
const STOP_LIMIT_MS = 5000;

/** Where and how it is served. */
export interface GrpcOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls: ServerTls;
}

/** A listening gRPC server. */
export interface GrpcServer {
  readonly port: number;
  /** Whether its health is SERVING. */
  serving(serving: boolean): void;
  /** Ends streams, lets calls end, and stops listening. */
  close(): Promise<void>;
}

/** Refuses a client whose certificate TLS itself has not found to be signed by the authority. */
function checkCertificate(call: Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>): void {
  if (call.getAuthContext().sslPeerCertificate !== undefined) return;
  throw new Refusal(
    status.UNAUTHENTICATED,
    'client certificate: none, or not signed by the authority in TLS_CLIENT_CA_FILE; ' +
      "set tlsClientCert and tlsClientKey in the trigger's TriggerAuthentication to one that is",
  );
}

/** Serves KEDA's calls, with health and reflection. @throws when the port is taken. */
export async function startGrpcServer(
  options: GrpcOptions,
  scaler: Scaler,
  metrics: ExternalScalerMetrics,
  log: Logger,
): Promise<GrpcServer> {
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 });
  const answers = new Answers(scaler);
  const streams = new Set<() => void>();
  let stopping = false;

  const refused = (method: string, error: unknown) => {
    const known = error instanceof Refusal;
    if (!known) log.error({ method, err: error }, 'a call failed');
    const code = known ? error.code : status.INTERNAL;
    metrics.requests.inc({ method, code: status[code] });
    return { code, details: known ? error.message : 'internal error, see the log' };
  };
  const check = options.tls.clientCertificates ? checkCertificate : () => undefined;
  const unary = <Q, A>(
    method: string,
    answer: (request: Q) => A,
    admit: typeof checkCertificate = check,
  ): handleUnaryCall<Q, A> => {
    return (call, callback) => {
      const endTimer = metrics.decisionSeconds.startTimer();
      try {
        admit(call);
        const value = answer(call.request);
        endTimer();
        metrics.requests.inc({ method, code: 'OK' });
        callback(null, value);
      } catch (error) {
        callback(refused(method, error));
      }
    };
  };
  const stream: handleServerStreamingCall<ScaledObjectRef, IsActiveResponse> = (call) => {
    if (stopping) return void call.end();
    try {
      check(call);
      const asker = answers.askerOf(call.request);
      let last: boolean | undefined;
      const tell = (): void => {
        const result = answers.wouldBeActive(asker);
        if (result !== last) call.write({ result });
        last = result;
      };
      tell();
      const unsubscribe = scaler.onChange(tell);
      const end = (): void => {
        if (!streams.delete(end)) return;
        unsubscribe();
        metrics.streams.dec();
        metrics.requests.inc({ method: 'StreamIsActive', code: 'OK' });
        call.end();
      };
      streams.add(end);
      metrics.streams.inc();
      call.on('cancelled', end);
      call.on('error', end);
    } catch (error) {
      call.destroy(Object.assign(new Error(), refused('StreamIsActive', error)));
    }
  };
  server.addService(serviceOf(scalerPackage, SERVICE), {
    IsActive: unary('IsActive', (ref: ScaledObjectRef) => answers.isActive(ref)),
    StreamIsActive: stream,
    // For everybody: it says nothing of the cluster, and KEDA drops without a word a trigger that gets no spec.
    GetMetricSpec: unary(
      'GetMetricSpec',
      (ref: ScaledObjectRef) => answers.getMetricSpec(ref),
      () => undefined,
    ),
    GetMetrics: unary('GetMetrics', answers.getMetrics.bind(answers)),
  });
  const health = new Health([SERVICE]);
  health.addTo(server);
  addReflection(server, { ...scalerPackage, ...healthPackage });

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, options.tls.credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    serving: (serving) => (health.serving = serving && !stopping),
    close: async () => {
      stopping = true;
      health.serving = false;
      for (const end of [...streams]) end();
      await new Promise<void>((resolve) => {
        const hard = setTimeout(() => server.forceShutdown(), STOP_LIMIT_MS);
        server.tryShutdown(() => {
          clearTimeout(hard);
          resolve();
        });
      });
    },
  };
}
