import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { startAgent } from './agent';
import { ownCgroup, prepareCgroup } from './cgroup';
import { cleanUp } from './clean-up';
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

async function main(): Promise<void> {
  const options = parseNodeOptions(process.argv.slice(2), process.env, hostname());
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
    () => log(`${options.role} ${options.nodeName} is up`),
    (error: unknown) => end(errorText(error), true),
  );

  await ended;
  await supervisor.stop(programGraceMs);
  await cleanUp(cgroup, podGraceMs);
  process.exit(failed ? 1 : 0);
}

main().catch((error: unknown) => {
  log(errorText(error));
  process.exit(1);
});
