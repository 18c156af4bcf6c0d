import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { moduleFolder } from '../programs/build';
import { copyTemplates } from './assembled';

/** In Traefik's module: the definitions of IngressRoute, Middleware and their like. */
const DEFINITIONS = 'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml';

/**
 * Puts the lab's chart of Traefik together: the templates beside this file, and Traefik's own definitions of its
 * resources, which are read from its Go module. They lie where Helm installs them from before all else, and leaves them
 * when the release goes: as the official chart has them.
 */
export async function writeTraefikChart(folder: string): Promise<void> {
  const sources = await moduleFolder({ module: 'traefik' }, 'github.com/traefik/traefik/v3');
  await copyTemplates('traefik', folder);
  await mkdir(path.join(folder, 'crds'));
  const definitions = await readFile(path.join(sources, DEFINITIONS));
  await writeFile(path.join(folder, 'crds', 'traefik.io.yaml'), definitions);
}
