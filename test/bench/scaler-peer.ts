import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js';
import { scalerPackage } from '../../runtime/external-scaler/grpc/definitions';
import { startGrpcServer } from '../../runtime/external-scaler/grpc/server';
import { serviceOf } from '../../runtime/external-scaler/grpc/service-of';
import { externalScalerMetrics } from '../../runtime/external-scaler/metrics';
import { createLogger } from '../../runtime/shared/log';
import { Bench as Play } from '../policy/external-scaler/support';

/** Sent once the server listens. */
export interface PeerReady {
  readonly port: number;
}

const HOST = '127.0.0.1';

/** The scaler as it is, on a world of so many ScaledJobs and nodes that stands still but grows old. */
async function scaler(identities: number, nodes: number): Promise<number> {
  const play = new Play({ IDENTITY_TTL_MS: '3600000', READING_MAX_AGE_MS: '3600000' });
  play.nodes(...Array.from({ length: nodes }, (_, index) => `node-${index}`));
  play.scaledJobs(...Array.from({ length: identities }, (_, index) => `job-${index}`));
  setInterval(() => {
    play.clock.atMs += 1000;
    play.scaler.tick();
  }, 1000);
  const tls = { credentials: ServerCredentials.createInsecure(), clientCertificates: false };
  const log = createLogger('bench', 'error');
  const options = { host: HOST, port: 0, tls };
  return (await startGrpcServer(options, play.scaler, externalScalerMetrics(), log)).port;
}

/** The same service, which answers a constant. */
function constant(): Promise<number> {
  const server = new Server();
  const answer: handleUnaryCall<object, object> = (_call, callback) =>
    callback(null, {
      metricValues: [
        { metricName: 'available_node_count_30s', metricValue: 0, metricValueFloat: 0 },
      ],
    });
  server.addService(serviceOf(scalerPackage, 'externalscaler.ExternalScaler'), {
    GetMetrics: answer,
  });
  return new Promise((resolve, reject) =>
    server.bindAsync(`${HOST}:0`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

async function main(): Promise<void> {
  const [what, identities, nodes] = process.argv.slice(2);
  const port =
    what === 'scaler' ? await scaler(Number(identities), Number(nodes)) : await constant();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.((user + system) / 1000);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port } satisfies PeerReady);
}

void main();
