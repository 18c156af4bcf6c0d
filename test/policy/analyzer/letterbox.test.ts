import assert from 'node:assert/strict';
import fc from 'fast-check';
import { letterbox } from '../../../runtime/analyzer/pose/letterbox';

const bitmap = (width: number, height: number, fill: number) => ({
  width,
  height,
  data: new Uint8Array(width * height * 4).fill(fill),
});

describe('letterbox', () => {
  const edge = fc.integer({ min: 1, max: 90 });

  it('keeps proportions: the picture fills the square in one direction and is centred in the other', () => {
    fc.assert(
      fc.property(edge, edge, (width, height) => {
        const size = 48;
        const box = letterbox(bitmap(width, height, 255), size);
        const lit = (x: number, y: number) => box.pixels[(y * size + x) * 3] === 255;
        const all = Array.from({ length: size }, (_, index) => index);
        const columns = all.filter((x) => lit(x, box.offsetY));
        const rows = all.filter((y) => lit(box.offsetX, y));
        for (const band of [columns, rows]) {
          const after = size - 1 - (band.at(-1) ?? 0);
          assert.ok(Math.abs((band[0] ?? 0) - after) <= 1, 'not centred');
        }
        assert.equal(Math.max(columns.length, rows.length), size);
        assert.ok(Math.abs(columns.length - Math.max(1, width / box.scale)) <= 0.5);
        assert.ok(Math.abs(rows.length - Math.max(1, height / box.scale)) <= 0.5);
      }),
    );
  });

  it('finds the way back: a bright spot in the square lies where it was in the picture', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 48, max: 200 }),
        fc.integer({ min: 48, max: 200 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (width, height, shareX, shareY) => {
          const picture = bitmap(width, height, 0);
          const [x, y] = [Math.floor(shareX * width), Math.floor(shareY * height)];
          picture.data.fill(255, (y * width + x) * 4, (y * width + x) * 4 + 4);
          const box = letterbox(picture, 48);
          const brightest = box.pixels.indexOf(Math.max(...box.pixels));
          const at = Math.floor(brightest / 3);
          const back = {
            x: ((at % 48) + 0.5 - box.offsetX) * box.scale,
            y: (Math.floor(at / 48) + 0.5 - box.offsetY) * box.scale,
          };
          assert.ok(Math.abs(back.x - x) <= box.scale + 1, `${back.x} is not ${x}`);
          assert.ok(Math.abs(back.y - y) <= box.scale + 1, `${back.y} is not ${y}`);
        },
      ),
    );
  });
});
