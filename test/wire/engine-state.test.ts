import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../lab/exec';
import { startEngine, type Engine } from './support/engine';

describe("the engine's state in a folder", function () {
  this.timeout(1_800_000);
  let engine: Engine;
  before(async () => {
    engine = await startEngine(() => Promise.resolve());
  });
  after(() => engine.stop());

  const up = async () => (await engine.stack(() => Promise.resolve({ berth: 1 }))).up();

  it('consists of files alone that the engine renames into their places, so that a kill cuts none short', async () => {
    await up();
    await up();
    const files = await readdir(engine.backendFolder, { recursive: true });
    assert.ok(files.some((file) => file.endsWith(path.join('wire', 'test.json'))));
    assert.deepEqual(
      files.filter((file) => file.endsWith('.attrs')),
      [],
    );
  });

  it('is mended where another backend was cut short in a file of attributes', async () => {
    const attributes = path.join(engine.backendFolder, 'stacks', 'wire', 'test.json.attrs');
    await writeFile(attributes, '');
    await assert.rejects(up(), /failed to load checkpoint: EOF/);
    // As docs/operations.md says.
    await run('sh', ['-c', `find ${engine.backendFolder} -name '*.attrs' -empty -delete`]);
    const { outputs } = await up();
    assert.equal(outputs.berth?.value, 1);
  });
});
