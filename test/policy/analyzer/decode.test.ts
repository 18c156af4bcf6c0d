import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Jimp } from 'jimp';
import { decodeImage, ImageError } from '../../../runtime/analyzer/pose/decode';

const LIMITS = { maxBytes: 1_000_000, maxPixels: 1_000_000 };
const sample = readFileSync(
  path.join(__dirname, '..', '..', '..', 'images', 'samples', 'astronaut.jpg'),
);

/** The reason why bytes are not decoded; undefined when they are. Any other error than an ImageError is thrown. */
async function refusal(bytes: Uint8Array, limits = LIMITS): Promise<string | undefined> {
  try {
    await decodeImage(bytes, limits);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ImageError, `${String(error)} escaped`);
    return error.message;
  }
}

describe('image decoder', () => {
  let smallJpeg: Buffer;
  let smallPng: Buffer;
  before(async () => {
    const small = (await Jimp.fromBuffer(sample)).resize({ w: 40, h: 30 });
    smallJpeg = await small.getBuffer('image/jpeg');
    smallPng = await small.getBuffer('image/png');
  });

  it('decodes JPEG and PNG, and scales a large picture down to 1280 pixels', async () => {
    for (const bytes of [smallJpeg, smallPng]) {
      const { width, height, data } = await decodeImage(bytes, LIMITS);
      assert.deepEqual([width, height, data.length], [40, 30, 40 * 30 * 4]);
    }
    const wide = await new Jimp({ width: 2560, height: 100, color: 0xff0000ff }).getBuffer(
      'image/png',
    );
    const { width, height } = await decodeImage(wide, LIMITS);
    assert.deepEqual([width, height], [1280, 50]);
  });

  it('takes a JPEG with bytes after its end', async () => {
    assert.equal(await refusal(Buffer.concat([smallJpeg, Buffer.alloc(100, 0x20)])), undefined);
  });

  it('refuses every cut of a JPEG and of a PNG', async () => {
    for (const bytes of [smallJpeg, smallPng])
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
          // The last bytes of a PNG are its empty end chunk, without which the picture is still whole.
          const reason = await refusal(bytes.subarray(0, length));
          assert.ok(reason !== undefined || length >= smallPng.length - 12, `${length} was taken`);
        }),
        { numRuns: 60 },
      );
  });

  it('never lets anything but an ImageError out, whatever bytes come', async () => {
    const position = fc.double({ min: 0, max: 0.999, noNaN: true });
    const noise = fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 12 });
    for (const bytes of [smallJpeg, smallPng])
      await fc.assert(
        fc.asyncProperty(noise, async (changes) => {
          const broken = Buffer.from(bytes);
          for (const [at, value] of changes) broken[Math.floor(at * broken.length)] = value;
          await refusal(broken);
        }),
        { numRuns: 60 },
      );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        assert.notEqual(await refusal(bytes), undefined);
      }),
    );
  });

  const refused: readonly (readonly [string, () => Uint8Array, RegExp, Partial<typeof LIMITS>])[] =
    [
      ['nothing', () => Buffer.alloc(0), /^empty$/, {}],
      ['text', () => Buffer.from('{"temperature": 21}'), /^not an image/, {}],
      ['a file that is too large', () => sample, /^too large: \d+ bytes/, { maxBytes: 1000 }],
      ['too many pixels', () => sample, /^too large: 512 x 512 pixels/, { maxPixels: 1000 }],
      ['half a JPEG', () => sample.subarray(0, sample.length / 2), /^truncated$/, {}],
      [
        'another format',
        () => Buffer.from('GIF89a\x01\x00\x01\x00\x80\x00\x00', 'latin1'),
        /^unsupported format gif/,
        {},
      ],
    ];
  for (const [what, bytes, reason, limits] of refused)
    it(`refuses ${what} with a reason`, async () => {
      assert.match((await refusal(bytes(), { ...LIMITS, ...limits })) ?? 'taken', reason);
    });

  it('refuses a small file that claims to be huge before it takes memory for it', async () => {
    const bomb = Buffer.from(smallPng);
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const before = process.memoryUsage().arrayBuffers;
    assert.match((await refusal(bomb)) ?? 'taken', /^too large: 60000 x 60000 pixels/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
  });
});
