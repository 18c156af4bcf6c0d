import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { createBroker, type Broker } from './support/mosquitto';
import { freePorts } from './support/processes';
import { contextOf, ServiceProcess, temporaryFolder } from './support/service-process';

const samples = path.resolve(__dirname, '..', '..', 'images', 'samples');
const SAMPLE_POSTURES: Readonly<Record<string, string>> = {
  'images/astronaut.jpg': 'Good',
  'images/photographer.jpg': 'Bad',
  'images/officer.jpg': 'NoPose',
};

describe('analyzer and feeder with a real MQTT broker', function () {
  this.timeout(1_800_000);
  let contexts: { readonly analyzer: string; readonly feeder: string };
  let folder: string;
  let broker: Broker;
  const started: ServiceProcess[] = [];

  before(async () => {
    contexts = { analyzer: await contextOf('analyzer'), feeder: await contextOf('image-feeder') };
  });
  beforeEach(async () => {
    folder = await temporaryFolder('mqtt');
    broker = await createBroker(path.join(folder, 'broker'));
    await broker.start();
  });
  afterEach(async () => {
    for (const service of started.splice(0)) {
      service.kill('SIGKILL');
      await service.ended;
    }
    await broker.stop();
    await rm(folder, { recursive: true });
  });

  const launch = (context: string, env: Record<string, string>): ServiceProcess => {
    const service = new ServiceProcess(context, {
      MQTT_BROKER: broker.host,
      MQTT_PORT: String(broker.port),
      ...env,
    });
    started.push(service);
    return service;
  };
  const analyzer = (env: Record<string, string>): ServiceProcess =>
    launch(contexts.analyzer, {
      OUTPUT_DIR: path.join(folder, 'output'),
      TERMINATION_LOG: path.join(folder, 'termination'),
      IDLE_TIMEOUT_MS: '600000',
      IMAGE_TIMEOUT_MS: '60000',
      ...env,
    });
  const ready = (service: ServiceProcess): Promise<void> =>
    service.until('it was ready', () => service.events('ready').length > 0);
  const summary = async () => {
    const text = await readFile(path.join(folder, 'termination'), 'utf8');
    return JSON.parse(text) as Record<string, number | string>;
  };
  const feeder = async (env: Record<string, string> = {}) => {
    const [port = 0] = await freePorts(1);
    const service = launch(contexts.feeder, { PORT: String(port), RATE_PER_SECOND: '20', ...env });
    return { service, get: (url: string) => fetch(`http://127.0.0.1:${port}${url}`) };
  };

  it('judges what the feeder publishes, in several workers, until MAX_IMAGES', async () => {
    const job = analyzer({ APP: 'pi1-4', MAX_IMAGES: '9', NUM_WORKERS: '2' });
    await ready(job);
    const { service, get } = await feeder();
    assert.equal(await job.ended, 0, job.log());

    const csv = await readFile(path.join(folder, 'output', 'posture-pi1-4.csv'), 'utf8');
    const rows = parse(csv, { columns: true }) as Record<string, string>[];
    assert.equal(rows.length, 9);
    for (const row of rows) assert.equal(row['posture'], SAMPLE_POSTURES[row['image'] ?? '']);
    const { images, good, bad, noPose, errors } = await summary();
    assert.deepEqual([images, errors], [9, 0]);
    assert.equal(Number(good) + Number(bad) + Number(noPose), 9);

    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/readyz')).status, 200);
    const metrics = await (await get('/metrics')).text();
    assert.ok(Number(/^image_feeder_published_images_total (\d+)$/m.exec(metrics)?.[1]) >= 9);
    service.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.log());
  });

  it('makes a counted Error row of every message that is no image, and goes on', async () => {
    const astronaut = await readFile(path.join(samples, 'astronaut.jpg'));
    const limitBytes = 100_000;
    const job = analyzer({ MAX_IMAGES: '8', MAX_IMAGE_BYTES: String(limitBytes) });
    await ready(job);
    const client = await broker.client();
    const messages: readonly (readonly [string, Buffer])[] = [
      ['text', Buffer.from('{"temperature": 21}')],
      ['empty', Buffer.alloc(0)],
      ['cut', astronaut.subarray(0, 30_000)],
      ['noise', Buffer.concat([astronaut.subarray(0, 4000), Buffer.alloc(60_000, 0x5a)])],
      ['large', Buffer.alloc(limitBytes + 1)],
      ['gigantic', Buffer.alloc(300 * limitBytes)],
      ['odd\u{1F4F7}name/../..', astronaut],
      ['good.jpg', astronaut],
    ];
    for (const [name, bytes] of messages)
      await client.publishAsync(`images/${name}`, bytes, { qos: 1 });
    assert.equal(await job.ended, 0, job.log());
    await client.endAsync();
    const rows = job.events('image').map((row) => [row['image'], row['posture'], row['reason']]);
    assert.deepEqual(
      rows.map(([image, posture]) => `${String(image)} ${String(posture)}`),
      [
        'images/text Error',
        'images/empty Error',
        'images/cut Error',
        'images/noise Error',
        'images/large Error',
        'images/gigantic Error',
        'images/odd\u{1F4F7}name/../.. Good',
        'images/good.jpg Good',
      ],
    );
    for (const [image, posture, reason] of rows)
      if (posture === 'Error') assert.notEqual(reason, '', `${String(image)} has no reason`);
    assert.deepEqual(
      { ...(await summary()), seconds: 0 },
      { images: 8, good: 2, bad: 0, noPose: 0, errors: 6, seconds: 0 },
    );
  });

  it('is sent the next image only when it is done with the one before', async () => {
    const job = analyzer({ MAX_IMAGES: '3' });
    await ready(job);
    const client = await broker.client();
    const astronaut = await readFile(path.join(samples, 'astronaut.jpg'));
    for (let number = 0; number < 30; number += 1)
      await client.publishAsync(`images/${number}.jpg`, astronaut, { qos: 1 });
    assert.equal(await job.ended, 0, job.log());
    await client.endAsync();
    const images = job.events('image').map((row) => row['image']);
    assert.deepEqual(images, ['images/0.jpg', 'images/1.jpg', 'images/2.jpg']);
  });

  it('goes on, as the feeder does, when the broker was away', async () => {
    const job = analyzer({ MAX_IMAGES: '24' });
    await ready(job);
    const { service } = await feeder({ RATE_PER_SECOND: '2' });
    await job.until('the first image', () => job.events('image').length >= 1);
    await broker.stop();
    await job.until('the loss is noticed', () => job.events('broker').length > 0);
    await broker.start();
    assert.equal(await job.ended, 0, job.log());
    assert.equal((await summary())['images'], 24);
    service.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.log());
  });

  it('ends when no image comes', async () => {
    const job = analyzer({ IDLE_TIMEOUT_MS: '1200' });
    assert.equal(await job.ended, 0, job.log());
    assert.equal(job.events('summary')[0]?.['end'], 'idle');
    assert.equal((await summary())['images'], 0);
  });

  it('finishes the image in hand on SIGTERM and leaves the others to the broker', async () => {
    const job = analyzer({});
    await ready(job);
    const { service } = await feeder();
    await job.until('the first image', () => job.events('image').length >= 1);
    job.kill('SIGTERM');
    assert.equal(await job.ended, 143, job.log());
    assert.equal((await summary())['images'], job.events('image').length);
    service.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.log());
  });

  it('fails with the broker named when it cannot be reached', async () => {
    await broker.stop();
    const job = analyzer({ MQTT_CONNECT_TIMEOUT_MS: '1500' });
    assert.equal(await job.ended, 1);
    const { error } = await summary();
    assert.match(
      String(error),
      /^the MQTT broker 127\.0\.0\.1:\d+ was out of reach for 1500 ms: .*ECONNREFUSED/,
    );
    const { service, get } = await feeder();
    await service.until('it tries', () => service.lines.some((line) => line['msg'] === 'broker'));
    assert.equal((await get('/readyz')).status, 503);
    service.kill('SIGTERM');
    assert.equal(await service.ended, 0, service.log());
  });

  it('feeds each image once without looping, and refuses a folder without images', async () => {
    const client = await broker.client();
    const topics: string[] = [];
    const ended = new Promise<void>((resolve) =>
      client.on('message', (topic) => {
        topics.push(topic);
        if (topic === 'images/end') resolve();
      }),
    );
    await client.subscribeAsync('images/#', { qos: 1 });
    const { service } = await feeder({ LOOP: 'false' });
    assert.equal(await service.ended, 0, service.log());
    // What the broker still has for this client comes before this one.
    await client.publishAsync('images/end', '', { qos: 1 });
    await ended;
    assert.deepEqual(topics, [...Object.keys(SAMPLE_POSTURES).sort(), 'images/end']);
    await client.endAsync();
    const empty = (await feeder({ IMAGE_DIR: folder })).service;
    assert.equal(await empty.ended, 1);
    assert.match(empty.log(), /holds no JPEG or PNG image/);
  });
});
