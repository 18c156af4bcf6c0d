import * as pulumi from '@pulumi/pulumi';
import type { StoreConfig } from '../config-schema';
import { DataStore } from './data-store';

export const MONGODB_PORT = 27017;
/** The user of the mongo image. */
const MONGODB_UID = 999;
const DATA = '/data/db';
const USER = 'autoscaler';

export interface MongoDbArgs {
  readonly namespace: pulumi.Input<string>;
  readonly store: StoreConfig;
  /** Refuses to be deleted or replaced. */
  readonly protect: boolean;
  /** Letters, digits, `-` and `_`. */
  readonly password: pulumi.Output<string>;
}

/** MongoDB with one user, whom the image makes when it starts on an empty volume. */
export class MongoDb extends pulumi.ComponentResource {
  /** With user and password (secret). */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: MongoDbArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:platform:MongoDb', name, {}, options);
    const store = new DataStore(
      name,
      {
        ...{ namespace: args.namespace, port: MONGODB_PORT, uid: MONGODB_UID, dataPath: DATA },
        ...args.store,
        protect: args.protect,
        args: ['--dbpath', DATA],
        // The image's first start writes beside the data, too.
        env: [{ name: 'HOME', value: '/tmp' }],
        secret: {
          MONGO_INITDB_ROOT_USERNAME: USER,
          MONGO_INITDB_ROOT_PASSWORD: args.password,
        },
        memory: { request: '128Mi', limit: '512Mi' },
      },
      { parent: this },
    );
    this.url = pulumi.interpolate`mongodb://${USER}:${args.password}@${store.address}/?authSource=admin`;
    this.registerOutputs({ url: this.url });
  }
}
