import type { ServiceDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';

/** The service of that name in a package. @throws when there is none. */
export function serviceOf(from: PackageDefinition, name: string): ServiceDefinition {
  const found = from[name];
  if (found === undefined || 'format' in found) throw new Error(`${name}: no such service`);
  return found;
}
