import { readFile } from 'node:fs/promises';
import { createServer, type ListenOptions } from 'node:net';

/** Where ports are looked for: above the usual ports of Kubernetes' own programs, below NodePorts. */
const FROM = 12_000;
const TO = 29_999;

/**
 * Ports that nobody listens on, for programs that take the number as an argument. Until such a program has bound its
 * port anybody could take it, so: none from the range the kernel gives to outgoing connections, and none that this
 * function gave to anybody on this machine whose process still runs. A test's own server listens on port 0 instead.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const candidates = await outsideOfEphemeral();
  let index = Math.floor(Math.random() * candidates.length);
  for (let tried = 0; ports.length < count; tried += 1, index += 1) {
    const port = candidates[index % candidates.length];
    if (port === undefined || tried >= candidates.length)
      throw new Error(`no free port between ${FROM} and ${TO} outside of ip_local_port_range`);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function outsideOfEphemeral(): Promise<number[]> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [first = 0, last = 0] = range.trim().split(/\s+/).map(Number);
  return Array.from({ length: TO - FROM + 1 }, (_, i) => FROM + i).filter(
    (port) => port < first || port > last,
  );
}

/** True where the port is free on every address, and this process is the one that has claimed it. */
async function isFree(port: number): Promise<boolean> {
  // An abstract socket: the kernel lets one process have the name, and frees it when that process ends.
  const claim = await listening({ path: `\0berth-test-port-${port}` });
  if (claim === undefined) return false;
  claim.unref();
  const probe = await listening({ port, host: '0.0.0.0', exclusive: true });
  if (probe !== undefined) {
    await new Promise((resolve) => probe.close(resolve));
    return true;
  }
  claim.close();
  return false;
}

function listening(options: ListenOptions) {
  const server = createServer();
  return new Promise<typeof server | undefined>((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(options, () => resolve(server));
  });
}
