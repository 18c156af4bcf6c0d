import { Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { scalerPackage } from '../../runtime/external-scaler/grpc/definitions';
import { serviceOf } from '../../runtime/external-scaler/grpc/service-of';

/** A client of an external scaler on this machine. */
export function scalerClient(port: number): Client {
  const Scaler = makeGenericClientConstructor(
    serviceOf(scalerPackage, 'externalscaler.ExternalScaler'),
    'ExternalScaler',
  );
  return new Scaler(`127.0.0.1:${port}`, credentials.createInsecure());
}

/** Calls GetMetrics for a ScaledJob. @returns how long it took, in ms. */
export async function getMetrics(client: Client, name: string): Promise<number> {
  const { GetMetrics } = client as unknown as Record<
    'GetMetrics',
    (request: object, callback: (error: Error | null) => void) => void
  >;
  const scaledObjectRef = { name, namespace: 'posture', scalerMetadata: {} };
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) =>
    GetMetrics.call(client, { scaledObjectRef, metricName: 'available_node_count_30s' }, (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  return performance.now() - startedMs;
}
