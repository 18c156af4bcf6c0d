import type { Bitmap } from './letterbox';

/** Red, green, blue; 0..255 each. */
export type Colour = readonly [number, number, number];

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Fills a disc; what lies outside of the bitmap is left out. */
export function drawDisc(bitmap: Bitmap, centre: Point, radius: number, colour: Colour): void {
  const { width, height, data } = bitmap;
  const left = Math.max(0, Math.ceil(centre.x - radius));
  const right = Math.min(width - 1, Math.floor(centre.x + radius));
  const top = Math.max(0, Math.ceil(centre.y - radius));
  const bottom = Math.min(height - 1, Math.floor(centre.y + radius));
  for (let y = top; y <= bottom; y += 1)
    for (let x = left; x <= right; x += 1)
      if ((x - centre.x) ** 2 + (y - centre.y) ** 2 <= radius ** 2)
        data.set([...colour, 255], (y * width + x) * 4);
}

/** Draws a line as a row of discs. Its length must be finite. */
export function drawLine(
  bitmap: Bitmap,
  from: Point,
  to: Point,
  radius: number,
  colour: Colour,
): void {
  const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y)));
  for (let step = 0; step <= steps; step += 1) {
    const share = step / steps;
    const x = from.x + (to.x - from.x) * share;
    const y = from.y + (to.y - from.y) * share;
    drawDisc(bitmap, { x, y }, radius, colour);
  }
}

/** Darkens a rectangle that starts in the upper left corner, so that light text on it can be read. */
export function darkenCorner(bitmap: Bitmap, width: number, height: number): void {
  for (let y = 0; y < Math.min(height, bitmap.height); y += 1)
    for (let x = 0; x < Math.min(width, bitmap.width); x += 1) {
      const at = (y * bitmap.width + x) * 4;
      for (let channel = 0; channel < 3; channel += 1)
        bitmap.data[at + channel] = (bitmap.data[at + channel] ?? 0) / 4;
    }
}
