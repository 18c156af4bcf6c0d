import type { Photograph } from './types';

/** A folder of images. */
export interface Album {
  /** Names of the images, sorted. @throws when the folder cannot be read. */
  names(): Promise<string[]>;
  /** @throws when the image is gone, cannot be read or is larger than allowed. */
  read(name: string): Promise<Photograph>;
}

/** Where images go. */
export interface Publisher {
  /**
   * Resolves when the broker has taken the image (QoS 1); waits for as long as there is no connection.
   * @throws when the publisher was closed before that.
   */
  publish(photograph: Photograph): Promise<void>;
  connected(): boolean;
  close(): Promise<void>;
}
