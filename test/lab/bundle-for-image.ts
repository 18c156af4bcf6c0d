import { build } from 'esbuild';

/** What a bundled program of an image may have beyond its code. */
export interface ImageProgram {
  /** Starts by itself, with the Node.js of the lab's images. */
  readonly executable?: boolean;
  /** Global constants and their values. */
  readonly constants?: Readonly<Record<string, string>>;
}

/** The text of a program with all that it imports, in one file for the Node.js of the lab's images. */
export async function bundleForImage(
  entryPoint: string,
  { executable = false, constants = {} }: ImageProgram = {},
): Promise<string> {
  const result = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    logLevel: 'error',
    define: Object.fromEntries(
      Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
    banner: executable ? { js: '#!/usr/local/bin/node' } : {},
  });
  const output = result.outputFiles?.[0];
  if (output === undefined) throw new Error(`${entryPoint}: esbuild wrote nothing`);
  return output.text;
}
