import type { handleBidiStreamingCall, Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionV1Implementation } from '@grpc/reflection/build/src/implementations/reflection-v1.js';
import { reflectionPackages } from './definitions';
import { serviceOf } from './service-of';

type Reflect = ReflectionV1Implementation['handleServerReflectionRequest'];

/** Lets clients ask a server for the descriptors of its services, in both versions of the protocol. */
export function addReflection(server: Server, described: PackageDefinition): void {
  const implementation = new ReflectionV1Implementation(described);
  const info: handleBidiStreamingCall<Parameters<Reflect>[0], ReturnType<Reflect>> = (call) => {
    call.on('data', (request: Parameters<Reflect>[0]) =>
      call.write(implementation.handleServerReflectionRequest(request)),
    );
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
  const [v1, v1alpha] = reflectionPackages;
  const implementations = { ServerReflectionInfo: info };
  server.addService(serviceOf(v1, 'grpc.reflection.v1.ServerReflection'), implementations);
  server.addService(
    serviceOf(v1alpha, 'grpc.reflection.v1alpha.ServerReflection'),
    implementations,
  );
}
