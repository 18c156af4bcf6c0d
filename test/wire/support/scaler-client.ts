import path from 'node:path';
import {
  Client,
  credentials,
  loadPackageDefinition,
  type ChannelCredentials,
  type ClientReadableStream,
  type GrpcObject,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';

const root = path.join(__dirname, '../../..');
const REFLECTION = 'node_modules/@grpc/reflection/build/proto/grpc/reflection';
const HEALTH = 'node_modules/grpc-health-check/proto/health/v1/health.proto';
const LIMIT_MS = 120_000;

/** A message as plain data. */
export type Message = Readonly<Record<string, unknown>>;

interface ReflectionAnswer {
  readonly messageResponse: string;
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

type Unary = (
  request: Message,
  options: { deadline: number },
  callback: (error: Error | null, answer: Message) => void,
) => void;

/** A client that knows nothing of a service but what the server says of it. */
export class ScalerClient {
  private constructor(
    readonly services: readonly string[],
    private readonly clients: readonly Client[],
    private readonly scaler: Client,
    private readonly health: Client,
  ) {}

  /** Asks the server on a port of 127.0.0.1 what it offers. @throws when it does not answer. */
  static async learn(
    port: number,
    channel: ChannelCredentials = credentials.createInsecure(),
    version: 'v1' | 'v1alpha' = 'v1',
  ): Promise<ScalerClient> {
    const address = `127.0.0.1:${port}`;
    const make = (from: GrpcObject, name: string): Client => {
      const found = name
        .split('.')
        .reduce<unknown>((inner, part) => (inner as GrpcObject)[part], from);
      return new (found as ServiceClientConstructor)(address, channel);
    };
    const file = path.join(root, REFLECTION, version, 'reflection.proto');
    const reflection = make(
      loadPackageDefinition(loadSync(file, { oneofs: true })),
      `grpc.reflection.${version}.ServerReflection`,
    );
    const health = make(
      loadPackageDefinition(loadSync(path.join(root, HEALTH), { enums: String })),
      'grpc.health.v1.Health',
    );
    try {
      const [list, described] = await reflect(reflection, [
        { listServices: '*' },
        { fileContainingSymbol: 'externalscaler.ExternalScaler' },
      ]);
      const services = list?.listServicesResponse?.service.map(({ name }) => name) ?? [];
      const files = described?.fileDescriptorResponse?.fileDescriptorProto ?? [];
      const definition = loadFileDescriptorSetFromBuffer(descriptorSet(files), {
        longs: Number,
        defaults: true,
      });
      const scaler = make(loadPackageDefinition(definition), 'externalscaler.ExternalScaler');
      return new ScalerClient(services, [reflection, health, scaler], scaler, health);
    } catch (error) {
      reflection.close();
      health.close();
      throw error;
    }
  }

  isActive(name: string, scalerMetadata: Message = {}): Promise<boolean> {
    return this.call('IsActive', ref(name, scalerMetadata)).then(
      (answer) => answer['result'] === true,
    );
  }

  /** Value of the metric for a ScaledJob. */
  async metric(name: string, scalerMetadata: Message = {}): Promise<number> {
    const metricName = scalerMetadata['metricName'] ?? 'available_node_count_30s';
    const answer = await this.call('GetMetrics', {
      scaledObjectRef: ref(name, scalerMetadata),
      metricName,
    });
    const [value] = answer['metricValues'] as { metricValue: number; metricValueFloat: number }[];
    if (value === undefined || value.metricValue !== value.metricValueFloat)
      throw new Error(`not one value: ${JSON.stringify(answer)}`);
    return value.metricValue;
  }

  call(method: string, request: Message): Promise<Message> {
    return unary(this.scaler, method, request);
  }

  healthOf(service: string): Promise<unknown> {
    return unary(this.health, 'Check', { service }).then((answer) => answer['status']);
  }

  /** What a StreamIsActive call has said so far. */
  stream(name: string): Stream {
    const open = (
      this.scaler as unknown as Record<
        string,
        (request: Message) => ClientReadableStream<{ result: boolean }>
      >
    )['StreamIsActive'];
    if (open === undefined) throw new Error('no StreamIsActive');
    return new Stream(open.call(this.scaler, ref(name)));
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

/** An open StreamIsActive call. */
export class Stream {
  readonly said: boolean[] = [];
  /** `end`, or the message of the error by which it ended. */
  over: string | undefined;

  constructor(private readonly call: ClientReadableStream<{ result: boolean }>) {
    call.on('data', ({ result }) => this.said.push(result));
    call.on('end', () => (this.over ??= 'end'));
    call.on('error', (error) => (this.over = error.message));
  }

  cancel(): void {
    this.call.cancel();
  }
}

/**
 * A ScaledJob as KEDA names it. A map is, on the wire and in a descriptor, a list of entries; protobufjs makes no map
 * of it again.
 */
export const ref = (
  name: string,
  scalerMetadata: Message = {},
  namespace = 'posture',
): Message => ({
  name,
  namespace,
  scalerMetadata: Object.entries(scalerMetadata).map(([key, value]) => ({ key, value })),
});

function unary(client: Client, method: string, request: Message): Promise<Message> {
  const call = (client as unknown as Record<string, Unary>)[method];
  if (call === undefined) throw new Error(`the server offers no ${method}`);
  return new Promise((resolve, reject) =>
    call.call(client, request, { deadline: Date.now() + LIMIT_MS }, (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    ),
  );
}

function reflect(client: Client, requests: readonly Message[]): Promise<ReflectionAnswer[]> {
  const open = (
    client as unknown as Record<
      string,
      (options: object) => NodeJS.ReadWriteStream & { write(message: Message): void }
    >
  )['ServerReflectionInfo'];
  if (open === undefined) throw new Error('no reflection');
  const call = open.call(client, { deadline: Date.now() + LIMIT_MS });
  return new Promise((resolve, reject) => {
    const answers: ReflectionAnswer[] = [];
    call.on('data', (answer) => answers.push(answer as unknown as ReflectionAnswer));
    call.on('error', reject);
    call.on('end', () => resolve(answers));
    for (const request of requests) call.write(request);
    call.end();
  });
}

/** A google.protobuf.FileDescriptorSet of encoded files: each is field 1, with its length before it. */
function descriptorSet(files: readonly Buffer[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => {
      const head = [0x0a];
      let length = file.length;
      for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
      head.push(length);
      return [Buffer.from(head), Buffer.from(file)];
    }),
  );
}
