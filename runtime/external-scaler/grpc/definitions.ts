import { fromJSON } from '@grpc/proto-loader';
import externalscaler from './externalscaler.json';
import health from './health.json';
import reflectionV1 from './reflection-v1.json';
import reflectionV1Alpha from './reflection-v1alpha.json';

/*
 * The services that are served, as descriptors that go into the bundle: a bundle cannot read .proto files that lie
 * beside the packages they come from. externalscaler.json is externalscaler.proto, and a test holds them together;
 * the others are those of grpc-health-check and @grpc/reflection.
 */

/** What JSON is imported as is wider than what a descriptor is declared as. */
const descriptor = (json: object) => json as Parameters<typeof fromJSON>[0];

/** KEDA's side of an external scaler. */
export const scalerPackage = fromJSON(descriptor(externalscaler), {
  longs: Number,
  defaults: true,
});
/** grpc.health.v1. */
export const healthPackage = fromJSON(descriptor(health), { enums: String, defaults: true });
const reflectionOptions = {
  longs: String,
  enums: String,
  bytes: Array,
  defaults: true,
  oneofs: true,
};
/** The two versions of server reflection that clients use. */
export const reflectionPackages = [
  fromJSON(descriptor(reflectionV1), reflectionOptions),
  fromJSON(descriptor(reflectionV1Alpha), reflectionOptions),
] as const;
