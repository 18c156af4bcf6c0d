const UNITS: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** The number that a Kubernetes quantity (`500m`, `1Gi`, 2) stands for, or nothing when it is none. */
export function quantity(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const match =
    typeof value === 'string' ? /^([+-]?\d+(?:\.\d+)?)([A-Za-z]{0,2})$/.exec(value) : null;
  const unit = match ? UNITS[match[2] ?? ''] : undefined;
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** Whether two values are one to Kubernetes, which writes `1000m` as `1`. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  const [x, y] = [quantity(a), quantity(b)];
  return x !== undefined && y !== undefined && Math.abs(x - y) <= 1e-9 * Math.abs(x);
}
