import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleForLab } from '../bundle-for-lab';

/** The plugins of the lab, by their folder, and the program names by which the engine finds them on PATH. */
const PROGRAMS = {
  command: 'pulumi-resource-command',
  docker: 'pulumi-resource-docker',
  'docker-build': 'pulumi-resource-docker-build',
  kubernetes: 'pulumi-resource-kubernetes',
  'language-nodejs': 'pulumi-language-nodejs',
  tls: 'pulumi-resource-tls',
} as const;

export type PluginName = keyof typeof PROGRAMS;
export const pluginNames = Object.keys(PROGRAMS) as PluginName[];

/**
 * Bundles a plugin into one JavaScript file.
 *
 * @param folder where `<name>.js` is written; made when it is missing.
 * @returns the file's absolute path.
 */
export async function bundlePlugin(name: PluginName, folder: string): Promise<string> {
  const outfile = path.resolve(folder, `${name}.js`);
  await mkdir(folder, { recursive: true });
  await writeFile(outfile, bundleForLab(path.join(__dirname, name, 'main.ts')));
  return outfile;
}

/** Writes the program that the engine starts for a plugin: a shell script that becomes `node bundle`. */
export async function writePluginShim(
  name: PluginName,
  bundle: string,
  binFolder: string,
): Promise<void> {
  await mkdir(binFolder, { recursive: true });
  const script = `#!/bin/sh\nexec '${process.execPath}' '${bundle}' "$@"\n`;
  await writeFile(path.join(binFolder, PROGRAMS[name]), script, { mode: 0o755 });
}
