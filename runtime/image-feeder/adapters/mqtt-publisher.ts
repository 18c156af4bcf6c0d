import { connect, type IClientOptions } from 'mqtt';
import type { Logger } from '../../shared/log';
import type { Publisher } from '../ports';

const RECONNECT_MS = 1000;

export interface MqttPublisherOptions {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly topicPrefix: string;
}

/** Publishes to an MQTT broker with QoS 1, and connects again whenever the connection is lost. */
export function mqttPublisher(options: MqttPublisherOptions, log: Logger): Publisher {
  const settings: IClientOptions = {
    host: options.host,
    port: options.port,
    protocol: 'mqtt',
    protocolVersion: 5,
    clientId: options.clientId,
    reconnectPeriod: RECONNECT_MS,
    ...(options.username === '' ? {} : { username: options.username, password: options.password }),
  };
  const client = connect(settings);
  client.on('connect', () => log.info({ broker: options.host }, 'connected'));
  client.on('error', (error) => log.warn({ err: error }, 'broker'));
  client.on('offline', () => log.warn({ broker: options.host }, 'no connection'));
  let giveUp: (error: Error) => void = () => undefined;
  const closed = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  closed.catch(() => undefined);
  return {
    publish: async ({ name, bytes }) => {
      const topic = `${options.topicPrefix}/${name}`;
      await Promise.race([client.publishAsync(topic, bytes, { qos: 1 }), closed]);
    },
    connected: () => client.connected,
    close: async () => {
      giveUp(new Error('the publisher was closed'));
      // Forced, where the broker is away: an image that waits for it would keep the process from ending.
      await client.endAsync(!client.connected);
    },
  };
}
