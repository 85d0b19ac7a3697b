/** moto (https://docs.getmoto.org): a server that speaks S3's protocol, in a virtual environment of the user's cache. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import getPort from 'get-port';
import { execa } from '../../src/core/exec.ts';
import { makeFolder } from './folder.ts';
import { motoPython } from './places.ts';
import { until } from './project.ts';

/** moto accepts any credentials; these are never printed. */
export const AWS_ENV = {
  AWS_ACCESS_KEY_ID: 'AKIAHIPPOHIPPOHIPPO',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/hippo/secret',
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export class Moto {
  /** `http://127.0.0.1:5000` */
  readonly endpoint: string;
  readonly #kill: () => Promise<unknown>;
  readonly #client: S3Client;

  private constructor(endpoint: string, kill: () => Promise<unknown>) {
    this.endpoint = endpoint;
    this.#kill = kill;
    this.#client = new S3Client({
      endpoint,
      region: AWS_ENV.AWS_REGION,
      forcePathStyle: true,
      credentials: {
        accessKeyId: AWS_ENV.AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_ENV.AWS_SECRET_ACCESS_KEY,
      },
    });
  }

  static async start(): Promise<Moto> {
    const port = await getPort({ host: '127.0.0.1' });
    const endpoint = `http://127.0.0.1:${port}`;
    const server = ['-c', 'from moto.server import main; main()', '-H', '127.0.0.1', '-p', String(port)];
    const process = execa(motoPython(), server, {
      cwd: await makeFolder('moto'),
      reject: false,
      all: true,
      stdin: 'ignore',
    });
    await until(
      () =>
        fetch(endpoint).then(
          ({ ok }) => ok,
          () => false,
        ),
      'moto answers',
    );
    return new Moto(endpoint, () => {
      process.kill('SIGKILL');
      return process;
    });
  }

  async makeBucket(bucket: string): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: bucket }));
  }

  async put(bucket: string, key: string, body: string | Buffer = ''): Promise<PutObjectCommandOutput> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  /** The SDK's client, for what has no method here. */
  get client(): S3Client {
    return this.#client;
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#kill();
  }
}
