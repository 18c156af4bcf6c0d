/**
 * The largest prime less than a number, by the sieve of Eratosthenes over the odd numbers: the work grows with the
 * number, which is what the parameter is for. One bit for each odd number: below 10^8 that is 6 MB.
 * @throws RangeError where there is none: below 3, or not a whole number.
 */
export function largestPrimeBelow(below: number): number {
  if (!Number.isSafeInteger(below) || below < 3)
    throw new RangeError(`there is no prime below ${below}`);
  // Bit i stands for 2i + 1.
  const count = below >> 1;
  const composite = new Uint8Array((count >> 3) + 1);
  for (let i = 1; (2 * i + 1) ** 2 < below; i += 1) {
    if (((composite[i >> 3] ?? 0) >> (i & 7)) & 1) continue;
    for (let j = 2 * i * (i + 1); j < count; j += 2 * i + 1)
      composite[j >> 3] = (composite[j >> 3] ?? 0) | (1 << (j & 7));
  }
  for (let i = count - 1; i > 0; i -= 1)
    if ((((composite[i >> 3] ?? 0) >> (i & 7)) & 1) === 0) return 2 * i + 1;
  return 2;
}
