import { z } from 'zod';
import { defineSettings, stringSetting } from '../../shared/settings';
import { logSettings } from '../../shared/service-settings';

/** How much is logged, in which form, and where. */
export const logOutputSettings = defineSettings({
  ...logSettings,
  logFormat: {
    env: 'LOG_FORMAT',
    description:
      'Form of standard output: json, one object a line; or pretty, for people, with every cycle, and colours on a terminal',
    schema: z.enum(['json', 'pretty'], { error: 'must be json or pretty' }).default('json'),
  },
  logFile: {
    env: 'LOG_FILE',
    description:
      'File that the log is appended to as well, always as JSON; empty means none. What rotates it has to copy and truncate it',
    schema: stringSetting(''),
  },
});
