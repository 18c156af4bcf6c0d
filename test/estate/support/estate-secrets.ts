import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { autoscalerSettings } from '../../../runtime/autoscaler/settings';
import type { EstateCluster } from './cluster';
import { SYSTEM } from './cluster';

/** What of the estate nobody may see, by what it is. */
export type Secrets = ReadonlyMap<string, string>;

/** The secrets of an estate: what its configuration holds, and what was made of it. */
export async function secretsOf(directory: string, cluster: EstateCluster): Promise<Secrets> {
  const { data = {} } = await cluster.core.readNamespacedSecret({
    namespace: SYSTEM,
    name: 'autoscaler',
  });
  const kept = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const table = autoscalerSettings;
  const own = join(directory, '.berth', 'dev');
  const { users } = parse(await readFile(join(own, 'kubeconfig'), 'utf8')) as {
    users: { user: { 'client-key-data': string } }[];
  };
  const secrets = new Map([
    ['token of the cluster', kept(table.clusterToken.env)],
    ["token of the autoscaler's API", kept(table.apiToken.env)],
    ["token of what guards Docker's socket", kept(table.dockerToken.env)],
    ['password of Redis', new URL(kept(table.redisUrl.env)).password],
    ['password of MongoDB', new URL(kept(table.mongoUrl.env)).password],
    ["the administrator's key", users[0]?.user['client-key-data'] ?? ''],
    ["passphrase of the stack's state", (await readFile(join(own, 'passphrase'), 'utf8')).trim()],
  ]);
  for (const [what, value] of secrets)
    if (value.length < 16) throw new Error(`the ${what} is not there`);
  return secrets;
}

/** Which secrets a text has, as they are or in base64. */
export const secretsIn = (text: string, secrets: Secrets): string[] =>
  [...secrets].flatMap(([what, value]) =>
    [value, Buffer.from(value).toString('base64')].some((form) => text.includes(form))
      ? [what]
      : [],
  );

/** Which of some texts a stream of bytes has, wherever its chunks end. */
export async function textsIn(
  stream: AsyncIterable<Uint8Array>,
  texts: readonly string[],
): Promise<string[]> {
  const wanted = texts.map((text) => Buffer.from(text));
  const overlap = Math.max(...wanted.map(({ length }) => length)) - 1;
  const found = new Set<number>();
  let tail: Uint8Array = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = Buffer.concat([tail, chunk]);
    for (const [index, text] of wanted.entries()) if (bytes.includes(text)) found.add(index);
    tail = bytes.subarray(Math.max(0, bytes.length - overlap));
  }
  return [...found].map((index) => texts[index] ?? '');
}
