import { randomBytes, scryptSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ApiError, type KubeClient } from './kube-client';
import { sameSecret } from './join-protocol';
import { paths } from './paths';
import { writePrivate } from './pki';

interface PasswordSecret {
  data?: { hash?: string };
}

const collection = '/api/v1/namespaces/kube-system/secrets';
const secretName = (node: string): string => `${node}.node-password.k3s`;

function hash(password: string, salt: string): string {
  return `$1:${salt}:${scryptSync(password, Buffer.from(salt, 'hex'), 32).toString('hex')}`;
}

/** This container's node password, made at its first start. */
export async function ownNodePassword(): Promise<string> {
  return readFile(paths.nodePassword, 'utf8').catch(async () => {
    const password = randomBytes(16).toString('hex');
    await writePrivate(paths.nodePassword, password);
    return password;
  });
}

/**
 * Checks a node's password against the secret that its first join made, or makes that secret.
 * @returns false when the name belongs to another container: its Node must be deleted first, as in k3s.
 */
export async function checkNodePassword(
  client: KubeClient,
  node: string,
  password: string,
): Promise<boolean> {
  const salt = randomBytes(8).toString('hex');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName(node), namespace: 'kube-system' },
    immutable: true,
    data: { hash: Buffer.from(hash(password, salt)).toString('base64') },
  };
  try {
    await client.call('POST', collection, secret);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
  }
  const known = await client.call<PasswordSecret>('GET', `${collection}/${secretName(node)}`);
  const kept = Buffer.from(known.data?.hash ?? '', 'base64').toString();
  return sameSecret(kept, hash(password, kept.split(':')[1] ?? ''));
}

/** Forgets the password of a node that is gone, so that its name is free again. */
export async function forgetNodePassword(client: KubeClient, node: string): Promise<void> {
  await client.call('DELETE', `${collection}/${secretName(node)}`).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  });
}
