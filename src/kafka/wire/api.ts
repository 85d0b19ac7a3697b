/**
 * One request of Kafka's protocol and its response (https://kafka.apache.org/protocol#protocol_messages). A file of requests/
 * holds one of these; {@link Broker.send} adds the header and finds the version that both sides speak.
 */
export interface Api<Request, Response> {
  /** As Kafka names it. */
  readonly name: string;
  /** Kafka's number of it: https://kafka.apache.org/protocol#protocol_api_keys */
  readonly key: number;
  /** The versions that `encode` and `decode` speak; the newest one that the broker speaks too is used. */
  readonly versions: { readonly min: number; readonly max: number };
  /** From this version on the headers have tagged fields (KIP-482); left out: in none of `versions`. */
  readonly flexibleFrom?: number;
  /** Milliseconds to wait for the response, where the broker may hold it back; `usual` is the request timeout. */
  timeout?(request: Request, usual: number): number;
  /**
   * The body, in pieces that are sent one after the other without being copied. They must not change until the response
   * is there.
   */
  encode(request: Request, version: number): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Reads the body of the response. What it returns may hold views of `body`. */
  decode(body: Buffer, version: number, request: Request): Response | Promise<Response>;
}

/** What every response may say: how long the broker asks us to send nothing, milliseconds (KIP-219). */
export interface Throttled {
  clientSideThrottleTime?: number;
}
