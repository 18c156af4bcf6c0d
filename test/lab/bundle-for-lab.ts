import path from 'node:path';
import { Bundler } from '../../components/bundle';

const projectDirectory = path.resolve(__dirname, '..', '..');
const bundler = new Bundler(projectDirectory);

/** A program of the lab with all that it imports, in one file for the Node.js that runs here. */
export const bundleForLab = (entryPoint: string): Uint8Array =>
  bundler.bundle(path.relative(projectDirectory, entryPoint), {
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });

/** What a bundled program of an image may have beyond its code. */
export interface ImageProgram {
  /** Starts by itself, with the Node.js of the lab's images. */
  readonly executable?: boolean;
  /** Global constants and their values. */
  readonly constants?: Readonly<Record<string, string>>;
}

/** The text of a program with all that it imports, in one file for the Node.js of the lab's images. */
export function bundleForImage(
  entryPoint: string,
  { executable = false, constants = {} }: ImageProgram = {},
): string {
  const contents = bundler.bundle(path.relative(projectDirectory, entryPoint), {
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    logLevel: 'error',
    define: Object.fromEntries(
      Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
    banner: executable ? { js: '#!/usr/local/bin/node' } : {},
  });
  return Buffer.from(contents).toString('utf8');
}
