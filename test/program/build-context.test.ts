import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildAnalyzerContext, buildServiceContext } from '../../components/build-context';

/** Files of a folder, each with the digest of its content. */
const digests = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [
        path.relative(folder, file),
        createHash('sha256').update(readFileSync(file)).digest('hex'),
      ]),
  );

describe('build contexts of the images', function () {
  this.timeout(600_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'berth-context-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('hold what an analyzer needs and nothing else, and name no path of this machine', () => {
    const context = buildAnalyzerContext(path.join(folder, 'analyzer'));
    assert.deepEqual(Object.keys(digests(context)).sort(), [
      'assets/movenet-lightning.bin',
      'assets/movenet-lightning.json',
      'assets/open-sans-16-white.fnt',
      'assets/open-sans-16-white.png',
      'assets/tfjs-backend-wasm-simd.wasm',
      'main.js',
      'worker.js',
    ]);
    const project = path.resolve(__dirname, '..', '..');
    for (const name of ['main.js', 'worker.js'])
      assert.ok(!readFileSync(path.join(context, name), 'utf8').includes(project), name);
  });

  it('are the same bytes each time, in any folder, and untouched where they already are right', () => {
    const first = buildServiceContext('image-feeder', path.join(folder, 'one'));
    const second = buildServiceContext('image-feeder', path.join(folder, 'two'));
    assert.deepEqual(digests(first), digests(second));
    assert.ok('samples/astronaut.jpg' in digests(first));

    const bundle = path.join(first, 'main.js');
    const { mtimeMs } = statSync(bundle);
    writeFileSync(path.join(first, 'stray.js'), 'left by an older version');
    writeFileSync(path.join(first, 'samples', 'astronaut.jpg'), 'damaged');
    buildServiceContext('image-feeder', first);
    assert.deepEqual(digests(first), digests(second));
    assert.equal(statSync(bundle).mtimeMs, mtimeMs);
  });

  it('refuse a service that does not exist', () => {
    assert.throws(
      () => buildServiceContext('no-such-service', path.join(folder, 'none')),
      /no-such-service.*no such service/,
    );
  });
});
