// How mocha runs wherever it is started from: `npm test` starts it once for each layer, an editor for one file.
module.exports = {
  require: ['tsx/cjs'],
  extension: ['ts'],
  spec: ['test/{policy,contract,program,wire,estate}/**/*.test.ts'],
  reporter: './test/reporter.ts',
  // A test that leaves a handle open must not hang the run that reports it.
  exit: true,
  timeout: 30_000,
  slow: 2_000,
};
