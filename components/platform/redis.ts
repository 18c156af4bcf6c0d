import * as pulumi from '@pulumi/pulumi';
import type { StoreConfig } from '../config-schema';
import { DataStore } from './data-store';

export const REDIS_PORT = 6379;
/** The user of the redis image. */
const REDIS_UID = 999;
const FOLDER = '/etc/redis';

export interface RedisArgs {
  readonly namespace: pulumi.Input<string>;
  readonly store: StoreConfig;
  /** Refuses to be deleted or replaced. */
  readonly protect: boolean;
  /** Letters, digits, `-` and `_`. */
  readonly password: pulumi.Output<string>;
}

/** Redis with a password, that has on disk what it was told before it answers: a journal is kept there. */
export class Redis extends pulumi.ComponentResource {
  /** With the password (secret). */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: RedisArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:platform:Redis', name, {}, options);
    const configuration = pulumi.interpolate`port ${REDIS_PORT}
dir /data
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
requirepass ${args.password}
`;
    const store = new DataStore(
      name,
      {
        ...{ namespace: args.namespace, port: REDIS_PORT, uid: REDIS_UID, dataPath: '/data' },
        ...args.store,
        protect: args.protect,
        command: ['redis-server', `${FOLDER}/redis.conf`],
        secret: { 'redis.conf': configuration },
        secretPath: FOLDER,
        memory: { request: '32Mi', limit: '256Mi' },
      },
      { parent: this },
    );
    this.url = pulumi.interpolate`redis://:${args.password}@${store.address}`;
    this.registerOutputs({ url: this.url });
  }
}
