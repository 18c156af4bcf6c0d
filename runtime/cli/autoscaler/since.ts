import { UserError } from '../user-error';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The time that `--since` names: so long ago (`90s`, `30m`, `2h`, `1d`), or ISO 8601. @throws UserError */
export function sinceMs(text: string, nowMs: number): number {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return Math.max(0, nowMs - Number(amount) * (UNITS_MS[unit] ?? 0));
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new UserError(
    `--since ${JSON.stringify(text)}: must be how long ago, such as 90s, 30m, 2h or 1d, or a time such as 2026-01-31T12:00:00Z`,
  );
}
