import assert from 'node:assert/strict';
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { grpcClientOptions } from '../wire/support/engine';
import { freePorts } from '../wire/support/free-ports';

const same = (bytes: Buffer): Buffer => bytes;

/** What a call comes to: the answer, or the error's text. */
const call = (client: Client): Promise<string> =>
  new Promise((resolve) => {
    client.makeUnaryRequest('/echo/echo', same, same, Buffer.from('hello'), (error, answer) =>
      resolve(error === null ? String(answer) : error.message),
    );
  });

describe("a test program's connection to the engine", () => {
  it('is not the broken one of an engine that had the same port before', async () => {
    const [port = 0] = await freePorts(1);
    const connect = () =>
      new Client(`127.0.0.1:${port}`, credentials.createInsecure(), grpcClientOptions);
    const before = connect();
    const server = new Server();
    let after: Client | undefined;
    try {
      assert.match(await call(before), /UNAVAILABLE/);
      const path = '/echo/echo';
      const codecs = { requestSerialize: same, requestDeserialize: same };
      const method = { path, requestStream: false, responseStream: false, ...codecs } as const;
      server.addService(
        { echo: { ...method, responseSerialize: same, responseDeserialize: same } },
        {
          echo: (
            { request }: { request: Buffer },
            answer: (error: null, bytes: Buffer) => void,
          ): void => answer(null, request),
        },
      );
      await new Promise<void>((resolve, reject) =>
        server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
          error === null ? resolve() : reject(error),
        ),
      );
      after = connect();
      assert.equal(await call(after), 'hello');
    } finally {
      before.close();
      after?.close();
      server.forceShutdown();
    }
  });
});
