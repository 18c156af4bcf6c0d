import path from 'node:path';
import { bundleForImage } from '../bundle-for-lab';

const ENTRY_POINT = path.join(__dirname, '..', 'k3s', 'entrypoint', 'host.ts');

/** The lab's k3s as the one file that a mirror serves for a release. */
export const k3sBinary = (version: string): string =>
  bundleForImage(ENTRY_POINT, { executable: true, constants: { K3S_VERSION: version } });
