import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { KEYPOINT_NAMES, type Pose } from '../types';
import { letterbox, type Bitmap } from './letterbox';

const INPUT_SIZE = 192;
const VALUES_PER_KEYPOINT = 3;

/** Finds the pose of the person in a picture. */
export interface PoseDetector {
  /** Where the parts of the body are, in pixels of the bitmap; each with its own confidence. */
  detect(bitmap: Bitmap): Pose;
}

/** Where the detector finds its files. */
export interface PoseAssets {
  /** Folder of movenet-lightning.json and movenet-lightning.bin. */
  readonly modelDirectory: string;
  /** Folder of tfjs-backend-wasm-simd.wasm. */
  readonly wasmDirectory: string;
}

interface ModelFile {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: tf.io.WeightsManifestEntry[] }[];
}

async function readModel(directory: string): Promise<tf.io.ModelArtifacts> {
  const text = await readFile(join(directory, 'movenet-lightning.json'), 'utf8');
  const { modelTopology, weightsManifest } = JSON.parse(text) as ModelFile;
  const weights = await readFile(join(directory, 'movenet-lightning.bin'));
  return {
    modelTopology,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: new Uint8Array(weights).buffer,
  };
}

/**
 * Runs `start` and takes away the listeners for errors of the whole process that it added: the start code that Emscripten
 * generates throws again whatever rejection or exception anybody in the process left, which is not a library's to decide.
 */
async function keepingProcessListeners<T>(start: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = new Map(events.map((event) => [event, process.rawListeners(event)]));
  try {
    return await start();
  } finally {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)?.includes(listener)) {
          process.off(event, listener as (...values: unknown[]) => void);
        }
      }
    }
  }
}

/**
 * Loads MoveNet (single pose, lightning) on the WebAssembly backend: SIMD without threads of its own, so that one
 * detector uses one processor, and the same bytes run on amd64 and arm64. One detector a thread.
 * @throws when a file is missing or broken.
 */
export async function loadMoveNet(assets: PoseAssets): Promise<PoseDetector> {
  setWasmPaths(assets.wasmDirectory + sep);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  tf.env().set('WASM_HAS_SIMD_SUPPORT', true);
  if (!(await keepingProcessListeners(() => tf.setBackend('wasm')))) {
    throw new Error('the WebAssembly backend did not start');
  }
  const model = await loadGraphModel({ load: () => readModel(assets.modelDirectory) });
  return {
    detect: (bitmap) => {
      const box = letterbox(bitmap, INPUT_SIZE);
      const values = tf.tidy(() => {
        const input = tf.tensor4d(box.pixels, [1, INPUT_SIZE, INPUT_SIZE, 3], 'int32');
        return (model.execute(input) as tf.Tensor).dataSync();
      });
      const keypoints = KEYPOINT_NAMES.map((name, index) => {
        const [y = 0, x = 0, confidence = 0] = values.subarray(index * VALUES_PER_KEYPOINT);
        return [
          name,
          {
            x: (x * INPUT_SIZE - box.offsetX) * box.scale,
            y: (y * INPUT_SIZE - box.offsetY) * box.scale,
            confidence,
          },
        ] as const;
      });
      return Object.fromEntries(keypoints) as Pose;
    },
  };
}
