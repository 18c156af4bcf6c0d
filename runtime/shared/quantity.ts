const SUFFIX_POWERS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** A Kubernetes quantity that cannot be read. */
export class QuantityError extends Error {
  constructor(text: string) {
    super(`not a Kubernetes quantity: ${JSON.stringify(text)}`);
    this.name = 'QuantityError';
  }
}

/** Rounds up as Kubernetes does, but forgives the error of binary fractions (0.1 * 1000 is 100, not 101). */
const roundUp = (value: number): number => {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 * Math.max(1, Math.abs(value) * 1e-6)
    ? nearest
    : Math.ceil(value);
};

/**
 * The value of a Kubernetes quantity (`100m`, `1.5Gi`, `2e3`) in its base unit.
 * @throws QuantityError when the text is none.
 */
export function parseQuantity(text: string | number): number {
  const match = QUANTITY.exec(String(text).trim());
  if (match === null) throw new QuantityError(String(text));
  const [, digits, exponent, suffix] = match;
  const power =
    exponent === undefined ? (SUFFIX_POWERS[suffix ?? ''] ?? 1) : 10 ** Number(exponent);
  return Number(digits) * power;
}

/** The quantity in thousandths, rounded up: processors to millicores. @throws QuantityError */
export const quantityToMillis = (text: string | number): number =>
  roundUp(parseQuantity(text) * 1000);

/** The quantity in whole units, rounded up: bytes, pods, devices. @throws QuantityError */
export const quantityToUnits = (text: string | number): number => roundUp(parseQuantity(text));
