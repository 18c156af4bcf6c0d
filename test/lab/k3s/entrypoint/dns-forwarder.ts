import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { errorText, log } from './log';
import { paths } from './paths';
import { writePrivate } from './pki';

const answerWithinMs = 10_000;

/** The name servers of a resolv.conf that a pod could not reach: they are on a loopback address. */
export function loopbackServer(resolvConf: string): string | undefined {
  return /^nameserver\s+(127\.\S+)/m.exec(resolvConf)?.[1];
}

function forwardUdp(address: string, upstream: string): void {
  const server = createSocket('udp4');
  server.on('message', (query, client) => {
    const out = createSocket('udp4');
    const timer = setTimeout(() => out.close(), answerWithinMs);
    out.on('error', () => undefined);
    out.on('message', (answer) => {
      clearTimeout(timer);
      out.close();
      server.send(answer, client.port, client.address);
    });
    out.send(query, 53, upstream);
  });
  server.on('error', (error) => log(`dns: ${errorText(error)}`));
  server.bind(53, address);
}

function forwardTcp(address: string, upstream: string): void {
  const server = createServer((client) => {
    const out = connect(53, upstream);
    client.pipe(out).pipe(client);
    for (const socket of [client, out]) {
      socket.setTimeout(answerWithinMs, () => socket.destroy());
      socket.on('error', () => (client.destroy(), out.destroy()));
    }
  });
  server.on('error', (error) => log(`dns: ${errorText(error)}`));
  server.listen(53, address);
}

/**
 * Docker's DNS is on a loopback address of the node, out of reach for its pods. So the node passes
 * their queries on, and the resolv.conf for pods names the node.
 */
export async function serveDnsToPods(nodeAddress: string): Promise<void> {
  const own = readFileSync('/etc/resolv.conf', 'utf8');
  const upstream = loopbackServer(own);
  if (upstream) {
    forwardUdp(nodeAddress, upstream);
    forwardTcp(nodeAddress, upstream);
  }
  const text = upstream ? `nameserver ${nodeAddress}\noptions ndots:0\n` : own;
  await writePrivate(paths.resolvConf, text, 0o644);
}
