import { z } from 'zod';
import type { SettingsTable } from './settings';

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** One row of a settings table, as a reader wants it. */
export interface SettingRow {
  readonly env: string;
  readonly description: string;
  readonly unit: string;
  /** What is taken when it is not set; `required` when there is none. */
  readonly fallback: string;
  readonly allowed: string;
}

/** The rows of a settings table: default and range are read from the schema that also enforces them. */
export function settingRows(table: SettingsTable): SettingRow[] {
  return Object.values(table).map((spec) => {
    const schema = z.toJSONSchema(spec.schema, {
      io: 'input',
      unrepresentable: 'any',
    }) as JsonSchema;
    const range =
      schema.minimum === undefined && schema.maximum === undefined
        ? ''
        : `${schema.minimum ?? ''}..${schema.maximum ?? ''}`;
    const fallback = schema.default;
    return {
      env: spec.env,
      description: spec.description + (spec.secret ? ' (secret)' : ''),
      unit: spec.unit ?? '',
      fallback:
        fallback === undefined ? 'required' : fallback === '' ? '(empty)' : String(fallback),
      allowed: schema.enum?.join(' | ') ?? range,
    };
  });
}

/** The text that `--help` prints: usage, then every setting with unit, default and range. */
export function settingsHelp(usage: string, table: SettingsTable): string {
  const blocks = settingRows(table).map((row) => {
    const facts = [
      row.unit && `unit: ${row.unit}`,
      row.allowed && `allowed: ${row.allowed}`,
      `default: ${row.fallback}`,
    ].filter((fact) => fact !== '');
    return `  ${row.env}\n      ${row.description}\n      ${facts.join('; ')}`;
  });
  return `${usage}\n\nSettings (environment variables):\n${blocks.join('\n')}\n`;
}
