// Where the engine begins with a policy pack. It would check the types of TypeScript by rules of its own: tsx does not.
/* global require */
/* eslint-disable @typescript-eslint/no-require-imports */
require('tsx/cjs');
require('./pack.ts');
