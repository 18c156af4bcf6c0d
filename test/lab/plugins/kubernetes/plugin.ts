import type { Plugin } from '../shared';
import { objectType } from './api/token';
import { releaseResource } from './helm/release';
import { objectResource } from './objects/object';
import { anotherCluster, OPTIONS, Session } from './session';

/** The lab's stand-in for the official `kubernetes` provider 4.34.2. */
export function kubernetesPlugin(): Plugin {
  let session: Session | undefined;
  return {
    name: 'kubernetes',
    version: '4.34.2',
    options: OPTIONS,
    configure(options) {
      session = new Session(options);
    },
    replacedBy: anotherCluster,
    resource(token) {
      if (!session) throw new Error('the kubernetes provider is not configured');
      if (token === 'kubernetes:helm.sh/v3:Release') return releaseResource(session);
      const type = objectType(token);
      return type && objectResource(session, type);
    },
  };
}
