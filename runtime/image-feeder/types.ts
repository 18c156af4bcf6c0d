/** An image as it is published. */
export interface Photograph {
  /** Name of its file, the last part of the topic. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** What the feeder has done so far. */
export interface FeederCounts {
  readonly published: number;
  /** Files that could not be read, or are too large. */
  readonly skipped: number;
}
