import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';

/** What a client that knows all servers of a cluster has seen of them. */
export interface ApiSampler {
  /** Writes that one of the servers took. */
  readonly taken: number;
  /** Writes that none of them took, with what each said. */
  readonly refused: readonly string[];
  /** Ends it, once the write that is under way has been answered. */
  stop(): Promise<void>;
}

interface Kubeconfig {
  readonly clusters: readonly [{ cluster: { 'certificate-authority-data': string } }];
  readonly users: readonly [
    { user: { 'client-certificate-data': string; 'client-key-data': string } },
  ];
}

const EVERY_MS = 250;
/** Longer than etcd takes to choose another leader: a server that waits for that still answers. */
const ANSWER_LIMIT_MS = 20_000;
/** What is under way while the leader goes is refused, and is to be asked again: that majority was not lost. */
const ELECTING = /etcdserver: leader changed/;

/**
 * Writes to a ConfigMap, again and again, by whichever server takes it: a write needs a majority of etcd's members.
 * @param kubeconfig of an administrator, as k3s writes it
 * @param urls of all servers
 * @param path of a ConfigMap that is there
 */
export function sampleApi(kubeconfig: string, urls: readonly string[], path: string): ApiSampler {
  const { clusters, users } = parse(kubeconfig) as Kubeconfig;
  const pem = (base64: string) => Buffer.from(base64, 'base64').toString();
  const agent = new Agent({
    ca: pem(clusters[0].cluster['certificate-authority-data']),
    cert: pem(users[0].user['client-certificate-data']),
    key: pem(users[0].user['client-key-data']),
  });
  const ending = new AbortController();
  const refused: string[] = [];
  let taken = 0;
  const write = async (): Promise<void> => {
    const body = JSON.stringify({ data: { taken: String(taken) } });
    for (const beganMs = performance.now(); ;) {
      try {
        await Promise.any(urls.map((url) => patch(new URL(path, url), agent, body)));
        taken += 1;
        return;
      } catch (error) {
        const errors = (error as AggregateError).errors.map(String);
        if (
          errors.some((said) => ELECTING.test(said)) &&
          performance.now() - beganMs < ANSWER_LIMIT_MS
        )
          continue;
        refused.push(`${new Date().toISOString()}: ${errors.join('; ')}`);
        return;
      }
    }
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await write();
      await delay(EVERY_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    }
    agent.destroy();
  };
  const running = run();
  return {
    get taken() {
      return taken;
    },
    refused,
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}

function patch(url: URL, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const sent = request(url, { method: 'PATCH', agent, headers }, (response) => {
      text(response).then((said) => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url.host}: ${response.statusCode} ${said}`));
      }, reject);
    });
    sent.setTimeout(ANSWER_LIMIT_MS, () => sent.destroy(new Error(`${url.host}: no answer`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
