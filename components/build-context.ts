import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Bundler } from './bundle';

const projectDirectory = resolve(__dirname, '..');
/** Files of a build context by path inside it. */
type ContextFiles = Map<string, Uint8Array>;

/** Parts of packages that are optional, native and not used. */
export const NEVER_BUNDLED = ['pg-native', 'bufferutil', 'utf-8-validate', '*.node'];

const bundler = new Bundler(projectDirectory);

/** Bundles runtime/<entry>.ts into one CommonJS file. */
function bundle(entry: string): Uint8Array {
  const source = join('runtime', `${entry}.ts`);
  if (!existsSync(join(projectDirectory, source))) throw new Error(`${source}: no such service`);
  return bundler.bundle(source, {
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    external: NEVER_BUNDLED,
    logLevel: 'error',
  });
}

/** Makes a folder hold exactly these files; what is already right is not touched. */
function writeContext(outDir: string, files: ContextFiles): string {
  mkdirSync(outDir, { recursive: true });
  for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !files.has(relative(outDir, path))) rmSync(path);
  }
  for (const [name, contents] of files) {
    const path = join(outDir, name);
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents, { mode: 0o644 });
  }
  return outDir;
}

const samples = (): ContextFiles => {
  const directory = join(projectDirectory, 'images/samples');
  const names = readdirSync(directory).filter((name) => name.endsWith('.jpg'));
  return new Map(
    names.sort().map((name) => [`samples/${name}`, readFileSync(join(directory, name))]),
  );
};

const packageFile = (path: string): Uint8Array =>
  readFileSync(join(projectDirectory, 'node_modules', path));

/**
 * Makes the build context of a service: `main.js`, the bundle of runtime/<service>/main.ts, and for the image
 * feeder its sample photographs. Returns outDir.
 * @throws when there is no such service or it does not compile.
 */
export function buildServiceContext(service: string, outDir: string): string {
  const files: ContextFiles = service === 'image-feeder' ? samples() : new Map();
  return writeContext(outDir, files.set('main.js', bundle(`${service}/main`)));
}

/**
 * Makes the build context of the analyzers: `main.js`, `worker.js`, and the model, WebAssembly and font that the
 * worker reads. Returns outDir.
 */
export function buildAnalyzerContext(outDir: string): string {
  const model = '@vladmandic/human/models/movenet-lightning';
  const font = 'open-sans-16-white';
  const wasm = 'tfjs-backend-wasm-simd.wasm';
  const files: ContextFiles = new Map([
    ['main.js', bundle('analyzer/main')],
    ['worker.js', bundle('analyzer/worker')],
    ['assets/movenet-lightning.json', packageFile(`${model}.json`)],
    ['assets/movenet-lightning.bin', packageFile(`${model}.bin`)],
    [`assets/${wasm}`, packageFile(`@tensorflow/tfjs-backend-wasm/dist/${wasm}`)],
  ]);
  for (const file of [`${font}.fnt`, `${font}.png`])
    files.set(`assets/${file}`, packageFile(`@jimp/plugin-print/fonts/open-sans/${font}/${file}`));
  return writeContext(outDir, files);
}
