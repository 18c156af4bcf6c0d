import * as grpc from '@grpc/grpc-js';
import { addLanguageRuntime } from './host';

/** Bytes a message may have: the engine's own limit. */
const MESSAGE_BYTES = 400 * 1024 * 1024;
const PARENT_CHECK_MS = 1_000;

const stop = new AbortController();
const server = new grpc.Server({
  'grpc.max_receive_message_length': MESSAGE_BYTES,
  'grpc.max_send_message_length': MESSAGE_BYTES,
});
// The engine's address is the last argument that is not a flag.
const engineAddress = process.argv.slice(2).findLast((word) => !word.startsWith('-')) ?? '';
addLanguageRuntime(server, engineAddress, stop);

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) {
    process.stderr.write(`could not start the language host: ${error.message}\n`);
    process.exit(1);
  }
  process.stdout.write(`${port}\n`);
});

// Ctrl-C reaches the whole process group; the engine then decides and says when to end.
process.on('SIGINT', () => stop.abort());

// An engine that was killed cannot say goodbye: end with it, and end the program.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) {
    stop.abort();
    server.forceShutdown();
    setTimeout(() => process.exit(1), 6_000).unref();
  }
}, PARENT_CHECK_MS).unref();
