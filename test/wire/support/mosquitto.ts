import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { ensureMosquitto } from './debian-server';
import { freePorts, Processes } from './processes';

/** A real broker on the loopback. */
export interface Broker {
  readonly host: string;
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A client of the test's own; ended by the test. */
  client(): Promise<MqttClient>;
}

/** Prepares a broker with its files in a folder; it does not run yet. */
export async function createBroker(folder: string): Promise<Broker> {
  const { file, env } = await ensureMosquitto();
  const [port = 0] = await freePorts(1);
  const host = '127.0.0.1';
  await mkdir(folder, { recursive: true });
  const config = path.join(folder, 'mosquitto.conf');
  await writeFile(config, `listener ${port} ${host}\nallow_anonymous true\nuser root\n`);
  const client = () => connectAsync({ host, port, protocolVersion: 5, reconnectPeriod: 0 });
  let processes: Processes | undefined;
  return {
    host,
    port,
    client,
    start: async () => {
      const started = new Processes(folder);
      processes = started;
      started.start('mosquitto', file, ['-c', config], env);
      await started.until('mosquitto', async () => (await client()).endAsync());
    },
    stop: async () => {
      await processes?.stop();
    },
  };
}
