import { connect, type MqttClient } from 'mqtt';
import type { Clock } from '../../shared/clock';
import type { Logger } from '../../shared/log';
import type { ImageSource, TakeImage } from '../ports';

export interface MqttSourceOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly username: string;
  readonly password: string;
  /** Unique at the broker; each connection adds its number. */
  readonly clientId: string;
  /** How long the broker may be out of reach, at the start and later. */
  readonly connectTimeoutMs: number;
}

const RECONNECT_MS = 1000;
/** More than an image may take: the answer to a ping waits behind the image in hand. */
const KEEPALIVE_SECONDS = 120;
/** The broker keeps our place for this long when the connection is lost. */
const SESSION_SECONDS = 300;

/**
 * Images from an MQTT 5 broker with QoS 1. Each consumer has a connection of its own on which the broker sends one
 * message at a time and gets its acknowledgement when the image is done with, so a slow analyzer holds back the
 * broker and a killed one loses nothing it had not finished. Several consumers share a subscription.
 */
export class MqttSource implements ImageSource {
  readonly ended: Promise<void>;
  private lose: (error: Error) => void = () => undefined;
  private readonly clients: MqttClient[] = [];
  private readonly inHand = new Set<Promise<void>>();
  private readonly closing = new AbortController();
  private lastError = 'no answer';

  constructor(
    private readonly options: MqttSourceOptions,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.ended = new Promise((_resolve, reject) => {
      this.lose = reject;
    });
    this.ended.catch(() => undefined);
  }

  async open(consumers: number, take: TakeImage): Promise<void> {
    const { topic, clientId } = this.options;
    const filter = consumers === 1 ? topic : `$share/${clientId}/${topic}`;
    const opened = Array.from({ length: consumers }, async (_, index) => {
      const client = this.connect(`${clientId}-${index}`);
      this.clients.push(client);
      client.handleMessage = (packet, callback) => this.handle(client, packet, take, callback);
      await this.connected(client);
      await client.subscribeAsync(filter, { qos: 1 });
      client.on('offline', () => void this.watch(client));
    });
    try {
      await Promise.all(opened);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  reachable(): boolean {
    return this.clients.every((client) => client.connected);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all(this.inHand);
    await Promise.all(
      this.clients.map((client) =>
        client.endAsync(!client.connected, { properties: { sessionExpiryInterval: 0 } }),
      ),
    );
  }

  private connect(clientId: string): MqttClient {
    const { host, port, username, password } = this.options;
    const client = connect({
      host,
      port,
      protocol: 'mqtt',
      protocolVersion: 5,
      clientId,
      clean: false,
      keepalive: KEEPALIVE_SECONDS,
      reconnectPeriod: RECONNECT_MS,
      ...(username === '' ? {} : { username, password }),
      properties: {
        receiveMaximum: 1,
        sessionExpiryInterval: SESSION_SECONDS,
      },
    });
    client.on('error', (error) => {
      this.lastError = error.message || ('code' in error ? String(error.code) : error.name);
      this.log.warn({ event: 'broker', client: clientId, err: error }, 'broker');
    });
    return client;
  }

  /** Resolves when the client is connected. @throws when that takes too long. */
  private async connected(client: MqttClient): Promise<void> {
    const { host, port, connectTimeoutMs } = this.options;
    const done = new AbortController();
    const late = this.clock.sleep(connectTimeoutMs, done.signal).then(() => 'late' as const);
    const up = new Promise<'up'>((resolve) => {
      if (client.connected) resolve('up');
      else client.once('connect', () => resolve('up'));
    });
    const closed = new Promise<'closed'>((resolve) => {
      this.closing.signal.addEventListener('abort', () => resolve('closed'), { once: true });
    });
    const outcome = await Promise.race([up, late, closed]);
    done.abort();
    if (outcome === 'late')
      throw new Error(
        `the MQTT broker ${host}:${port} was out of reach for ${connectTimeoutMs} ms: ${this.lastError}`,
      );
  }

  private async watch(client: MqttClient): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.log.warn({ event: 'broker' }, 'the connection to the broker is lost');
    try {
      await this.connected(client);
      if (client.connected) this.log.info({ event: 'broker' }, 'connected again');
    } catch (error) {
      this.lose(error as Error);
    }
  }

  private handle(
    client: MqttClient,
    packet: Parameters<MqttClient['handleMessage']>[0],
    take: TakeImage,
    acknowledge: (error?: Error) => void,
  ): void {
    if (this.closing.signal.aborted || packet.cmd !== 'publish') return;
    const { payload, topic } = packet;
    const content = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const { stream } = client;
    // Not acknowledged, and so not followed by another, when the job does not take it or fails on it.
    const handled: Promise<void> = take({ name: topic, content }).then(
      (done) => {
        if (!done) return;
        // A message's number holds for its connection only: on another it may be that of another message.
        if (client.connected && client.stream === stream) acknowledge();
        else acknowledge(new Error('the connection was lost'));
      },
      (error: unknown) => this.lose(error as Error),
    );
    this.inHand.add(handled);
    void handled.then(() => this.inHand.delete(handled));
  }
}
