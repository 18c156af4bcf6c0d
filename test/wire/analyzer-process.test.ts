import assert from 'node:assert/strict';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { imageSize } from 'image-size';
import { createPostgres } from './support/postgres';
import { contextOf, ServiceProcess, temporaryFolder } from './support/service-process';

const samples = path.resolve(__dirname, '..', '..', 'images', 'samples');
const UNPRIVILEGED = 10001;

describe('analyzer as a process', function () {
  this.timeout(1_800_000);
  let context: string;
  let folder: string;
  let output: string;
  let termination: string;
  const started: ServiceProcess[] = [];

  before(async () => {
    context = await contextOf('analyzer');
  });
  beforeEach(async () => {
    folder = await temporaryFolder('analyzer');
    output = path.join(folder, 'output');
    termination = path.join(folder, 'termination');
  });
  afterEach(async () => {
    for (const service of started.splice(0)) {
      service.kill('SIGKILL');
      await service.ended;
    }
    await rm(folder, { recursive: true });
  });

  const start = (env: Record<string, string>, user?: number): ServiceProcess => {
    const service = new ServiceProcess(
      context,
      { APP: 'pi1-2', OUTPUT_DIR: output, TERMINATION_LOG: termination, ...env },
      user,
    );
    started.push(service);
    return service;
  };
  const summary = async () =>
    JSON.parse(await readFile(termination, 'utf8')) as Record<string, number | string>;
  const csvRows = async (file = path.join(output, 'posture-pi1-2.csv')) =>
    parse(await readFile(file, 'utf8'), { columns: true }) as Record<string, string>[];

  it('works through a folder, broken images and all, with the same rows in the CSV and in the log', async () => {
    const images = path.join(folder, 'images');
    await cp(samples, images, { recursive: true });
    const astronaut = await readFile(path.join(samples, 'astronaut.jpg'));
    await writeFile(path.join(images, 'cut.jpg'), astronaut.subarray(0, 20_000));
    await writeFile(path.join(images, 'empty.png'), '');
    await writeFile(path.join(images, 'text.jpg'), 'hello');
    await writeFile(path.join(images, 'large.jpg'), Buffer.alloc(200_000));
    await mkdir(path.join(images, 'folder.jpg'));
    const service = start({ IMAGE_DIR: images, MAX_IMAGE_BYTES: '100000', NODE_NAME: 'node-7' });
    await service.until('the last image', () => service.events('image').length === 8);
    const peakBytes = await service.peakMemoryBytes();
    assert.equal(await service.ended, 0, service.log());

    assert.deepEqual(
      { ...(await summary()), seconds: 0 },
      { images: 8, good: 1, bad: 1, noPose: 1, errors: 5, seconds: 0 },
    );
    const rows = await csvRows();
    const logged = service
      .events('image')
      .map((line) =>
        Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, String(line[name])])),
      );
    assert.deepEqual(logged, rows);
    const outcome = Object.fromEntries(rows.map((row) => [row['image'], row]));
    assert.match(outcome['cut.jpg']?.['reason'] ?? '', /truncated/);
    assert.match(outcome['large.jpg']?.['reason'] ?? '', /too large: 200000 bytes/);
    assert.match(outcome['folder.jpg']?.['reason'] ?? '', /EISDIR/);
    assert.equal(outcome['astronaut.jpg']?.['posture'], 'Good');
    assert.equal(outcome['astronaut.jpg']?.['node'], 'node-7');
    const pictures = (await readdir(output)).filter((name) => name.endsWith('.jpg')).sort();
    assert.deepEqual(pictures, rows.flatMap((row) => row['annotatedImage'] || []).sort());
    assert.equal(pictures.length, 3);
    for (const name of pictures)
      assert.equal(imageSize(await readFile(path.join(output, name))).type, 'jpg');
    assert.ok(peakBytes < 400 * 1024 * 1024, `${Math.round(peakBytes / 1e6)} MB with one worker`);
  });

  it('ends after MAX_IMAGES, and appends to the CSV of an earlier run', async () => {
    const csv = path.join(folder, 'all.csv');
    for (const expected of [2, 4]) {
      const env = { IMAGE_DIR: samples, MAX_IMAGES: '2', NUM_WORKERS: '2', CSV_PATH: csv };
      const service = start(env);
      assert.equal(await service.ended, 0, service.log());
      assert.equal((await csvRows(csv)).length, expected);
    }
    assert.equal(new Set((await csvRows(csv)).map((row) => row['id'])).size, 4);
  });

  it('finishes the image in hand on SIGTERM, writes its summary, and does not pass for complete', async () => {
    const images = path.join(folder, 'images');
    await mkdir(images);
    const COUNT = 300;
    for (let number = 0; number < COUNT; number += 1)
      await cp(path.join(samples, 'officer.jpg'), path.join(images, `${number}.jpg`));
    const service = start({ IMAGE_DIR: images });
    await service.until('the first image', () => service.events('image').length > 0);
    service.kill('SIGTERM');
    assert.equal(await service.ended, 143, service.log());
    const rows = await csvRows();
    const { images: counted, noPose } = await summary();
    assert.equal(counted, rows.length);
    assert.equal(noPose, rows.length);
    assert.equal(service.events('image').length, rows.length);
    assert.ok(rows.length >= 1 && rows.length < COUNT, `${rows.length} rows`);
  });

  it('says what to do when it may not write to OUTPUT_DIR', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await mkdir(output, { mode: 0o755 });
    await writeFile(termination, '');
    await chmod(termination, 0o666);
    const service = start({ IMAGE_DIR: samples }, UNPRIVILEGED);
    assert.equal(await service.ended, 1);
    const { error } = await summary();
    assert.match(
      String(error),
      /^OUTPUT_DIR .* cannot be written by user 10001: EACCES.*chown 10001/,
    );
    assert.match(service.log(), /cannot be written by user 10001/);
  });

  it('runs as an unprivileged user who owns nothing but its output folder', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await mkdir(output);
    await chown(output, UNPRIVILEGED, UNPRIVILEGED);
    const service = start({ IMAGE_DIR: samples, MAX_IMAGES: '1' }, UNPRIVILEGED);
    assert.equal(await service.ended, 0, service.log());
    assert.equal((await csvRows()).length, 1);
  });

  it('names every bad setting at once, without the value of a secret', async () => {
    const service = start({ APP: 'pi2', NUM_WORKERS: '0', MQTT_PORT: 'x', DB_PASSWORD: 'hush' });
    assert.equal(await service.ended, 2);
    for (const name of ['APP "pi2"', 'NUM_WORKERS "0"', 'MQTT_PORT "x"'])
      assert.ok(service.other.includes(name), service.other);
    assert.ok(!service.other.includes('hush'));
    const neither = start({});
    assert.equal(await neither.ended, 2);
    assert.match(neither.other, /MQTT_BROKER or IMAGE_DIR: one of them must be set/);
  });

  describe('with a database', () => {
    const database = (port: number) => ({
      IMAGE_DIR: samples,
      DB_ENABLED: 'true',
      DB_HOST: '127.0.0.1',
      DB_PORT: String(port),
      DB_NAME: 'postgres',
      DB_USER: 'posture',
      DB_PASSWORD: 'secret',
    });

    it('keeps rows while the database is away, and writes each once when it is there', async () => {
      const postgres = await createPostgres();
      try {
        const service = start({
          ...database(postgres.options.port),
          DB_FLUSH_TIMEOUT_MS: '120000',
        });
        await service.until('a row waits', () => service.events('database').length > 0);
        await postgres.start();
        assert.equal(await service.ended, 0, service.log());
        const stored = await postgres.query(
          'select id, posture, neck_degrees from posture_log order by id',
        );
        const rows = await csvRows();
        assert.deepEqual(
          stored.map((record) => [record['id'], record['posture'], String(record['neck_degrees'])]),
          rows.map((row) => [row['id'], row['posture'], row['neckDegrees']]),
        );
        assert.equal(rows.length, 3);
      } finally {
        await postgres.remove();
      }
    });

    it('ends without it, says how many rows it lacks, and has them in the CSV', async () => {
      const service = start({ ...database(1), DB_FLUSH_TIMEOUT_MS: '300' });
      assert.equal(await service.ended, 0, service.log());
      assert.equal(service.events('database').at(-1)?.['unsent'], 3);
      assert.equal((await csvRows()).length, 3);
      assert.ok(!service.log().includes('secret'));
    });
  });
});
