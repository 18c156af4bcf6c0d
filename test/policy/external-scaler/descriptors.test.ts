import assert from 'node:assert/strict';
import path from 'node:path';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import {
  healthPackage,
  reflectionPackages,
  scalerPackage,
} from '../../../runtime/external-scaler/grpc/definitions';

const root = path.join(__dirname, '..', '..', '..');
const HEALTH = 'node_modules/grpc-health-check/proto/health/v1/health.proto';
const REFLECTION = 'node_modules/@grpc/reflection/build/proto/grpc/reflection';

/** The descriptors of the files behind a package, as bytes. */
const descriptors = (from: PackageDefinition): string[] =>
  Object.values(from).flatMap((one) =>
    'fileDescriptorProtos' in one && Array.isArray(one.fileDescriptorProtos)
      ? (one.fileDescriptorProtos as Buffer[]).map((bytes) => bytes.toString('base64'))
      : [],
  );

describe('the descriptors in the bundle', () => {
  const [v1, v1alpha] = reflectionPackages;
  const cases: readonly [string, PackageDefinition][] = [
    ['runtime/external-scaler/grpc/externalscaler.proto', scalerPackage],
    [HEALTH, healthPackage],
    [`${REFLECTION}/v1/reflection.proto`, v1],
    [`${REFLECTION}/v1alpha/reflection.proto`, v1alpha],
  ];
  for (const [file, inBundle] of cases) {
    it(`are those of ${path.basename(path.dirname(file))}/${path.basename(file)}`, () => {
      const fromFile = descriptors(loadSync(path.join(root, file), {}));
      assert.ok(fromFile.length > 0);
      assert.deepEqual(descriptors(inBundle), fromFile);
    });
  }
});
