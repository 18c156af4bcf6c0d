import { credentials } from '@grpc/grpc-js';
import { EngineClient } from '@pulumi/pulumi/proto/engine_grpc_pb';
import { LogRequest, LogSeverity } from '@pulumi/pulumi/proto/engine_pb';
import type { CallContext } from './provider';

const SEVERITY = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
};

/** Sends messages to the engine, which shows them under their resource. A lost message is not an error. */
export class EngineLog {
  private readonly client: EngineClient;

  constructor(address: string) {
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  send(severity: keyof typeof SEVERITY, message: string, urn: string, passing: boolean): void {
    const request = new LogRequest()
      .setSeverity(SEVERITY[severity])
      .setMessage(message)
      .setUrn(urn)
      .setEphemeral(passing);
    this.client.log(request, () => undefined);
  }

  /** What a resource's code reports through. */
  context(urn: string, name: string, type: string, signal: AbortSignal): CallContext {
    let shown: string | undefined;
    return {
      urn,
      name,
      type,
      signal,
      log: (severity, message) => this.send(severity, message, urn, false),
      // Without a terminal every status is a line of its own: one that says nothing new is not sent again.
      status: (message) => {
        if (message !== shown) this.send('info', message, urn, true);
        shown = message;
      },
    };
  }
}
