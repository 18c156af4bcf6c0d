import type { Analysis, IncomingImage, Row } from './types';

/** Takes an image; true when it is done with, false when it is to stay with its sender. */
export type TakeImage = (image: IncomingImage) => Promise<boolean>;

/** Where images come from. */
export interface ImageSource {
  /**
   * Starts handing images to `take`, at most `consumers` at a time, and holds back the rest. Resolves when images
   * can come.
   * @throws when the source cannot be reached or read.
   */
  open(consumers: number, take: TakeImage): Promise<void>;
  /** Resolves when no image is left; rejects when the source is lost for good. May do neither. */
  readonly ended: Promise<void>;
  /** False while it is not known whether there are images, since the source is out of reach. */
  reachable(): boolean;
  /** Hands out no more images, waits for those that were taken to be acknowledged, and lets go of the source. */
  close(): Promise<void>;
}

/** Finds the pose in images and judges it. */
export interface Analyzer {
  /** Never rejects: a broken image, and a worker that dies of it, give an analysis of kind error. */
  analyze(bytes: Uint8Array): Promise<Analysis>;
  /** Rejects when no image can be analyzed any more; never resolves. */
  readonly broken: Promise<never>;
  close(): Promise<void>;
}

/** Keeps rows for good. */
export interface RowStore {
  /**
   * Stores rows in order, so that they are still there after a crash. Whoever gives the same rows again after a
   * rejection does not double them.
   * @throws when it cannot now.
   */
  append(rows: readonly Row[]): Promise<void>;
  close(): Promise<void>;
}

/** Keeps annotated images. */
export interface Gallery {
  /** Returns the file's name. @throws when it cannot be written. */
  save(origin: Pick<Row, 'analyzedAt' | 'job' | 'image'>, jpeg: Uint8Array): Promise<string>;
}
