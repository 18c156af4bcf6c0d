import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { secretsIn, textsIn } from '../estate/support/estate-secrets';

describe('the search for secrets of an estate', () => {
  const secret = fc.stringMatching(/^[a-z]{1,20}$/);
  const other = fc.stringMatching(/^[0-9]{0,40}$/);

  it('finds a text in a stream wherever its chunks end, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(secret, secret, other, other, fc.integer({ min: 1, max: 30 }), find),
    );
    async function find(text: string, absent: string, head: string, tail: string, size: number) {
      const bytes = Buffer.from(`${head}${text}${tail}`);
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const found = await textsIn(Readable.from(chunks), [text, absent]);
      assert.ok(found.includes(text));
      assert.equal(found.includes(absent), text.includes(absent));
    }
  });

  it('finds one that is written in base64', () => {
    const secrets = new Map([
      ['token', 'open-sesame'],
      ['password', 'hush'],
    ]);
    const text = `data: ${Buffer.from('open-sesame').toString('base64')}`;
    assert.deepEqual(secretsIn(text, secrets), ['token']);
    assert.deepEqual(secretsIn('hush', secrets), ['password']);
    assert.deepEqual(secretsIn('nothing', secrets), []);
  });
});
