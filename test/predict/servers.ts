/** Small servers that answer as WebHDFS and S3 do, and fail as they are told. */
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** `/models/iris/VERSION/manifest.json` */
export type Files = Readonly<Record<string, Buffer>>;

/** Answers a request; undefined: as always. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => 'answered' | undefined;

export interface TestServer {
  url: string;
  /** `GET /path?query` */
  requests: string[];
  fault: Fault;
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = createServer((request, response) => {
    served.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (served.fault(request, response) === undefined) answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const served: TestServer = { url, requests: [], fault: () => undefined };
  return served;
}

export interface TestHdfs {
  name: TestServer;
  data: TestServer;
}

export async function serveHdfs(files: Files): Promise<TestHdfs> {
  const data = await serve(({ url = '' }, response) => {
    const path = pathOf(url).replace('/webhdfs/v1', '');
    const content = files[path];
    if (content === undefined) remote(response, 404, 'FileNotFoundException', `${path} not found`);
    else response.writeHead(200, { 'content-length': content.length }).end(content);
  });
  const name = await serve(({ url = '' }, response) => {
    const path = pathOf(url).replace('/webhdfs/v1', '');
    if (files[path] === undefined) {
      remote(response, 404, 'FileNotFoundException', `File ${path} not found.`);
      return;
    }
    response.end(JSON.stringify({ Location: `${data.url}${url}` }));
  });
  return { name, data };
}

/** @param files by bucket and key: `/lake/models/…` */
export function serveS3(files: Files): Promise<TestServer> {
  return serve(({ url = '' }, response) => {
    const content = files[pathOf(url)];
    if (content === undefined) s3Error(response, 404, 'NoSuchKey');
    else response.writeHead(200, { 'content-length': content.length }).end(content);
  });
}

export function remote(
  response: ServerResponse,
  status: number,
  exception: string,
  message: string,
): 'answered' {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ RemoteException: { exception, javaClassName: exception, message } }));
  return 'answered';
}

export function s3Error(response: ServerResponse, status: number, code: string): 'answered' {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  return 'answered';
}

function pathOf(url: string): string {
  return decodeURIComponent(url.split('?', 1)[0] ?? '');
}
