/** Pixels in rows from the top, four bytes (red, green, blue, alpha) each. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A bitmap fitted into a square, and how to find the way back. */
export interface Letterbox {
  /** size x size x 3 values 0..255: red, green, blue. */
  readonly pixels: Int32Array;
  /** Pixels of the bitmap for one of the square, at least 1 / size. */
  readonly scale: number;
  /** Where the bitmap's left and top edge lie in the square. */
  readonly offsetX: number;
  readonly offsetY: number;
}

/**
 * Fits a bitmap into a square of the given size, centred on black. Each pixel of the square is the mean of the
 * pixels it covers, so that a large picture does not turn into noise.
 */
export function letterbox({ width, height, data }: Bitmap, size: number): Letterbox {
  const scale = Math.max(width, height) / size;
  const fittedWidth = Math.max(1, Math.round(width / scale));
  const fittedHeight = Math.max(1, Math.round(height / scale));
  const offsetX = Math.floor((size - fittedWidth) / 2);
  const offsetY = Math.floor((size - fittedHeight) / 2);
  const pixels = new Int32Array(size * size * 3);
  for (let row = 0; row < fittedHeight; row += 1) {
    const [top, bottom] = covered(row, fittedHeight, height);
    for (let column = 0; column < fittedWidth; column += 1) {
      const [left, right] = covered(column, fittedWidth, width);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let y = top; y < bottom; y += 1)
        for (let x = left, at = (y * width + left) * 4; x < right; x += 1, at += 4) {
          red += data[at] ?? 0;
          green += data[at + 1] ?? 0;
          blue += data[at + 2] ?? 0;
        }
      const area = (bottom - top) * (right - left);
      const to = ((row + offsetY) * size + column + offsetX) * 3;
      pixels[to] = red / area;
      pixels[to + 1] = green / area;
      pixels[to + 2] = blue / area;
    }
  }
  return { pixels, scale, offsetX, offsetY };
}

/** The pixels [from, to) of `length` that lie under pixel `index` of `fitted`; at least one. */
function covered(index: number, fitted: number, length: number): readonly [number, number] {
  const from = Math.min(length - 1, Math.floor((index * length) / fitted));
  return [from, Math.max(from + 1, Math.floor(((index + 1) * length) / fitted))];
}
