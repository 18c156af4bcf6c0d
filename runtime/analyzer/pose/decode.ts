import { imageSize } from 'image-size';
import { Jimp } from 'jimp';
import type { Bitmap } from './letterbox';

/** What an image may measure. */
export interface ImageLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

/** An image that is not decoded, with the reason for its row. */
export class ImageError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ImageError';
  }
}

/** A decoder's memory for one pixel: coefficients and three component planes, four bytes each. */
const DECODER_BYTES_PER_PIXEL = 24;
const MIB = 1024 * 1024;
const START_OF_SCAN = Buffer.from([0xff, 0xda]);
const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);
/** A pose needs no more; a picture of a larger edge is scaled down to it, which also bounds the time for drawing. */
const MAX_EDGE_PIXELS = 1280;

/**
 * A decoder fills up what a JPEG lacks with grey. Neither marker can occur in the data of a scan, so a whole JPEG
 * has an end after its last scan began, whatever follows it.
 */
const isCutOff = (jpeg: Buffer): boolean =>
  jpeg.lastIndexOf(END_OF_IMAGE) < jpeg.lastIndexOf(START_OF_SCAN);

function checkedType(bytes: Buffer, limits: ImageLimits): string {
  if (bytes.length === 0) throw new ImageError('empty');
  if (bytes.length > limits.maxBytes)
    throw new ImageError(`too large: ${bytes.length} bytes, allowed are ${limits.maxBytes}`);
  let size: ReturnType<typeof imageSize>;
  try {
    size = imageSize(bytes);
  } catch {
    throw new ImageError('not an image, or cut off in its header');
  }
  const { width, height, type } = size;
  if (type !== 'jpg' && type !== 'png')
    throw new ImageError(`unsupported format ${type ?? 'unknown'}: JPEG and PNG are supported`);
  if (!(width > 0 && height > 0)) throw new ImageError(`no pixels: ${width} x ${height}`);
  if (width * height > limits.maxPixels)
    throw new ImageError(`too large: ${width} x ${height} pixels, allowed are ${limits.maxPixels}`);
  if (type === 'jpg' && isCutOff(bytes)) throw new ImageError('truncated');
  return type;
}

/**
 * Decodes a JPEG or PNG, upright as its EXIF data says, scaled down to at most 1280 pixels on the longer edge. Size
 * and format are checked before anything is decoded.
 * @throws ImageError when it is none, broken, truncated or too large.
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits): Promise<Bitmap> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkedType(buffer, limits);
  try {
    const image = await Jimp.fromBuffer(buffer, {
      'image/jpeg': {
        tolerantDecoding: false,
        maxResolutionInMP: Math.ceil(limits.maxPixels / 1e6),
        maxMemoryUsageInMB: Math.ceil((limits.maxPixels * DECODER_BYTES_PER_PIXEL) / MIB) + 64,
      },
    });
    if (Math.max(image.width, image.height) > MAX_EDGE_PIXELS)
      image.scaleToFit({ w: MAX_EDGE_PIXELS, h: MAX_EDGE_PIXELS });
    return image.bitmap;
  } catch (error) {
    throw new ImageError(`broken: ${error instanceof Error ? error.message : String(error)}`);
  }
}
