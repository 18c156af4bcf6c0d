import { build } from 'esbuild';
import path from 'node:path';

/** The lab's k3s as the one file that a mirror serves for a release. */
export async function k3sBinary(version: string): Promise<string> {
  const result = await build({
    entryPoints: [path.join(__dirname, '..', 'k3s', 'entrypoint', 'host.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    logLevel: 'error',
    define: { K3S_VERSION: JSON.stringify(version) },
    banner: { js: '#!/usr/local/bin/node' },
  });
  return result.outputFiles[0]?.text ?? '';
}
