import { buildSync, version, type BuildOptions } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../runtime/shared/replace-file';

const PACKAGES = 'node_modules';
/** Where tools keep what they can make again: it goes with the packages, and is in no commit. */
const CACHE = join(PACKAGES, '.cache', 'berth', 'bundles');

/** What a kept bundle was made of. A file or folder that is not there is null. */
const recordSchema = z.object({
  /** SHA-256 of the bundle. */
  bundle: z.string(),
  /** SHA-256 of each file that went into it, and of the files that say what is installed, by path in the project. */
  files: z.record(z.string(), z.string().nullable()),
  /** SHA-256 of the names in each folder of sources: a new file may be what an import means from now on. */
  folders: z.record(z.string(), z.string().nullable()),
});
type BundleRecord = z.infer<typeof recordSchema>;

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

/**
 * Bundles programs of a project, each into one file. A bundle is kept with the digests of all it was made of, and taken as it
 * is while none of them has changed: an estate without a change bundles nothing.
 */
export class Bundler {
  readonly #digests = new Map<string, string | null>();

  /** @param projectDir the project's folder, absolute. Its files must not change while this bundler is used. */
  constructor(private readonly projectDir: string) {}

  /**
   * The bundle of a program; the same sources and packages give the same bytes on any machine.
   * @param source the program's path in the project.
   * @param options how it is bundled, without paths of this machine.
   * @throws when it does not compile.
   */
  bundle(source: string, options: Readonly<BuildOptions>): Uint8Array {
    const id = sha256(JSON.stringify([source, options, version])).slice(0, 16);
    const kept = this.#kept(id);
    if (kept !== undefined) return kept;
    const { outputFiles, metafile } = buildSync({
      ...options,
      absWorkingDir: this.projectDir,
      entryPoints: [source],
      bundle: true,
      write: false,
      metafile: true,
    });
    const [output] = outputFiles;
    if (output === undefined) throw new Error(`${source}: the bundle is empty`);
    this.#keep(id, output.contents, Object.keys(metafile.inputs));
    return output.contents;
  }

  #kept(id: string): Uint8Array | undefined {
    const [bundle, record] = this.#paths(id);
    if (!existsSync(bundle) || !existsSync(record)) return undefined;
    const parsed = parseRecord(readFileSync(record, 'utf8'));
    if (parsed === undefined) return undefined;
    const { files, folders } = parsed;
    const isSame =
      Object.entries(files).every(([path, digest]) => this.#file(path) === digest) &&
      Object.entries(folders).every(([path, digest]) => this.#folder(path) === digest);
    if (!isSame) return undefined;
    const contents = readFileSync(bundle);
    return sha256(contents) === parsed.bundle ? contents : undefined;
  }

  #keep(id: string, contents: Uint8Array, inputs: readonly string[]): void {
    const isPackaged = (path: string) => path.split('/').includes(PACKAGES);
    const files = [...inputs, 'package-lock.json', 'tsconfig.json'];
    const folders = new Set(inputs.filter((path) => !isPackaged(path)).map(dirname));
    const record: BundleRecord = {
      bundle: sha256(contents),
      files: Object.fromEntries(files.map((path) => [path, this.#file(path)])),
      folders: Object.fromEntries([...folders].map((path) => [path, this.#folder(path)])),
    };
    mkdirSync(join(this.projectDir, CACHE), { recursive: true });
    const [bundlePath, recordPath] = this.#paths(id);
    replaceFile(bundlePath, contents);
    replaceFile(recordPath, JSON.stringify(record));
  }

  #paths(id: string): [bundle: string, record: string] {
    const path = join(this.projectDir, CACHE, id);
    return [`${path}.js`, `${path}.json`];
  }

  #file(path: string): string | null {
    return this.#digest(path, (absolute) => readFileSync(absolute));
  }

  #folder(path: string): string | null {
    return this.#digest(path, (absolute) => readdirSync(absolute).sort().join('\n'));
  }

  #digest(path: string, read: (absolute: string) => string | Uint8Array): string | null {
    let digest = this.#digests.get(path);
    if (digest === undefined) {
      const absolute = join(this.projectDir, path);
      digest = existsSync(absolute) ? sha256(read(absolute)) : null;
      this.#digests.set(path, digest);
    }
    return digest;
  }
}

/** What a record says; nothing where it is damaged. */
function parseRecord(text: string): BundleRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
