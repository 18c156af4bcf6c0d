import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { startAgent } from './agent';
import { ownCgroup, prepareCgroup } from './cgroup';
import { cleanUp } from './clean-up';
import { withConfigFile } from './config-file';
import { resetToSnapshot } from './embedded-etcd';
import { parseNodeOptions } from './flags';
import { errorText, log } from './log';
import { prepareMachine } from './prepare-machine';
import { startServer } from './server';
import { Supervisor } from './supervisor';

/** How long each program may take to stop, and then the pods together. Docker kills after 10 s. */
const programGraceMs = 2_000;
const podGraceMs = 4_000;

function nodeAddress(): string {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const found = addresses?.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (found && name.startsWith('eth')) return found.address;
  }
  throw new Error('this container has no network: no address on eth0');
}

/** How a node ends. */
export interface NodeEnd {
  /** True where the node's end is the container's: nothing may be left. On a host, pods go on without k3s. */
  readonly endPods: boolean;
}

async function main(argv: readonly string[], { endPods }: NodeEnd): Promise<void> {
  const options = parseNodeOptions(withConfigFile(argv), process.env, hostname());
  if (options.restoreFrom !== undefined)
    return resetToSnapshot(options, nodeAddress(), options.restoreFrom);
  const ending = new AbortController();
  let failed = false;
  const end = (reason: string, isFailure: boolean): void => {
    log(reason);
    failed ||= isFailure;
    ending.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => end(`${signal}: stopping`, process.exitCode === 1));
  const ended = new Promise<void>((resolve) =>
    ending.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  const supervisor = new Supervisor((reason) => end(reason, true));

  const cgroup = ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'));
  log(`${options.role} ${options.nodeName}: preparing`);
  await prepareMachine();
  await prepareCgroup(cgroup);
  const context = { options, nodeAddress: nodeAddress(), cgroup, signal: ending.signal };
  const start = options.role === 'server' ? startServer : startAgent;
  start(supervisor, context).then(
    () => {
      log(`${options.role} ${options.nodeName} is up`);
      // To what counts as systemd, where there is one.
      process.send?.('READY=1');
    },
    (error: unknown) => end(errorText(error), true),
  );

  await ended;
  await supervisor.stop(programGraceMs);
  if (endPods) await cleanUp(cgroup, podGraceMs);
  process.exit(failed ? 1 : 0);
}

/** Runs a node until a signal, or the end of one of its programs, ends it. @param argv `server …` or `agent …` */
export function runNode(argv: readonly string[], end: NodeEnd): void {
  main(argv, end).catch((error: unknown) => {
    log(errorText(error));
    process.exit(1);
  });
}
