import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Bundler } from '../../components/bundle';

const OPTIONS = { platform: 'node', format: 'cjs', logLevel: 'silent' } as const;
const KEPT = 'node_modules/.cache/berth/bundles';

describe('bundles of programs', () => {
  let folder: string;
  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const bundle = (options = {}) =>
    Buffer.from(
      new Bundler(folder).bundle('runtime/main.ts', { ...OPTIONS, ...options }),
    ).toString();
  /** When the kept bundle was written; a bundle that is taken as it is leaves that alone. */
  const keptAt = () => {
    const files = readdirSync(path.join(folder, KEPT)).filter((name) => name.endsWith('.js'));
    assert.equal(files.length, 1);
    return statSync(path.join(folder, KEPT, files[0] ?? ''), { bigint: true }).mtimeNs;
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'berth-bundle-'));
    write('runtime/main.ts', "import { word } from './word';\nconsole.log(word);\n");
    write('runtime/word/index.ts', "export const word = 'first';\n");
    write('node_modules/one/package.json', '{"name":"one","main":"one.js"}');
    write('node_modules/one/one.js', "module.exports = 'of a package';\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are kept, and taken as they are while nothing changed', () => {
    const first = bundle();
    assert.match(first, /first/);
    const at = keptAt();
    assert.equal(bundle(), first);
    assert.equal(keptAt(), at);
  });

  const changes: Readonly<Record<string, readonly [change: () => void, seen: RegExp]>> = {
    'a source changed': [
      () => write('runtime/word/index.ts', "export const word = 'second';\n"),
      /second/,
    ],
    'a new file took the place of another': [
      () => write('runtime/word.ts', "export const word = 'nearer';\n"),
      /nearer/,
    ],
    'another package was installed': [
      () => {
        write('package-lock.json', '{}');
      },
      /first/,
    ],
    'the compiler is told otherwise': [
      () => write('tsconfig.json', '{"compilerOptions":{"target":"ES2023"}}'),
      /first/,
    ],
    'the kept bundle is damaged': [
      () => {
        for (const name of readdirSync(path.join(folder, KEPT)))
          write(path.join(KEPT, name), 'damaged');
      },
      /first/,
    ],
  };
  for (const [when, [change, seen]] of Object.entries(changes))
    it(`are made again when ${when}`, () => {
      bundle();
      const at = keptAt();
      change();
      const text = bundle();
      assert.match(text, seen);
      assert.notEqual(keptAt(), at);
    });

  it('are made again when a file of a package changed', () => {
    write('runtime/word/index.ts', "export { default as word } from 'one';\n");
    assert.match(bundle(), /of a package/);
    write('node_modules/one/one.js', "module.exports = 'patched';\n");
    assert.match(bundle(), /patched/);
  });

  it('are kept apart by how they are made', () => {
    assert.match(bundle({ minifyWhitespace: true }), /word="first"/);
    assert.match(bundle(), /word = "first"/);
  });

  it('that do not compile say where, and nothing is kept', () => {
    write('runtime/word/index.ts', 'export const word = ;\n');
    assert.throws(() => bundle(), /runtime\/word\/index\.ts:1:20/);
    assert.throws(() => readdirSync(path.join(folder, KEPT)), /ENOENT/);
  });
});
