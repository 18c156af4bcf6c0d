import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { cacheDir } from './cache';

/** Names, places and addresses of one lab. Two checkouts, or two instances of one, share none of them. */
export interface LabContext {
  readonly instance: string;
  /** Six hex digits that tell this lab's names on the machine from any other's. */
  readonly id: string;
  readonly projectDir: string;
  /** All that the lab keeps on disk; gone when it ends. */
  readonly root: string;
  readonly logDir: string;
  /** Sockets: their paths must be short. Gone when the lab ends. */
  readonly runDir: string;
  /** Shared by every checkout of this user; stays. */
  readonly cacheDir: string;
  /** Network namespace, its veth on the host, and the parent cgroup of every container have one name. */
  readonly netns: string;
  /** IPv4 address of the namespace: what is published is reached here, from the host and from containers. */
  readonly address: string;
  /** The host's end of the pair, in the same /30. */
  readonly hostAddress: string;
  /** `address:port` of the image registry. */
  readonly registry: string;
  /** `unix://` address of the Docker engine. */
  readonly dockerHost: string;
  /** `unix://` address of buildkitd. */
  readonly buildkitHost: string;
  /** Name of the buildx builder. */
  readonly builderName: string;
  readonly kubeApiPort: number;
}

/** Each lab's /30 lies in 10.201.0.0/16. */
const SUBNETS = 2 ** 14;

/** The instance of a project folder unless BERTH_INSTANCE names another. */
function defaultInstance(projectDir: string): string {
  const folder = path
    .basename(projectDir)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 12);
  return `${folder.replace(/^-+|-+$/g, '') || 'berth'}-${hexOf(projectDir)}`;
}

function hexOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}

/**
 * Works out a lab's names without touching anything.
 * @param options.projectDir default: the checkout that this file belongs to
 * @param options.instance default: BERTH_INSTANCE, or a name made of the folder's
 * @throws Error where the instance's name cannot be a folder's name
 */
export function labContext(options: { projectDir?: string; instance?: string } = {}): LabContext {
  const projectDir = realpathSync(options.projectDir ?? path.resolve(__dirname, '..', '..'));
  const instance =
    options.instance ?? (process.env['BERTH_INSTANCE'] || defaultInstance(projectDir));
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/.test(instance)) {
    throw new Error(
      `BERTH_INSTANCE: ${JSON.stringify(instance)} is not 1 to 41 letters, digits, dots or dashes`,
    );
  }
  const id = hexOf(`${projectDir}\n${instance}`);
  const root = path.join(projectDir, '.berth', 'lab', instance);
  const runDir = `/run/berth-${id}`;
  const subnet = (Number.parseInt(id, 16) % SUBNETS) * 4;
  const ip = (offset: number) => `10.201.${(subnet + offset) >> 8}.${(subnet + offset) & 255}`;
  return {
    instance,
    id,
    projectDir,
    root,
    logDir: path.join(root, 'logs'),
    runDir,
    cacheDir: cacheDir(),
    netns: `berth-${id}`,
    hostAddress: ip(1),
    address: ip(2),
    registry: `${ip(2)}:5000`,
    dockerHost: `unix://${runDir}/docker.sock`,
    buildkitHost: `unix://${runDir}/buildkitd.sock`,
    builderName: `berth-${id}`,
    kubeApiPort: 6443,
  };
}
