import { type KeyObject, X509Certificate, createPrivateKey } from 'node:crypto';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { KafkaConfig } from '../config/schema.ts';
import { UserError, messageOf } from '../core/errors.ts';
import { readSettingFile, unusableFile } from './setting-file.ts';

type TlsSettings = Exclude<KafkaConfig['tls'], boolean>;

/**
 * Reads the files of `kafka.tls` and checks that they fit together: OpenSSL says nothing of an authority that it cannot
 * read, and brokers say little of a client certificate that they refuse.
 *
 * @throws UserError naming the file and the key of hippo.yaml
 */
export function tlsOptions(tls: KafkaConfig['tls']): ConnectionOptions | null {
  if (tls === false) return null;
  if (tls === true) return {};
  const options: ConnectionOptions = {
    ...(tls.ca_file === undefined ? {} : { ca: authorities(tls.ca_file) }),
    ...clientCertificate(tls),
    ...(tls.server_name === undefined ? {} : { servername: tls.server_name }),
  };
  try {
    // Read once for all connections.
    return { ...options, secureContext: createSecureContext(options) };
  } catch (error) {
    throw new UserError('the files of kafka.tls cannot be used', {
      why: messageOf(error),
      next: ['check kafka.tls in hippo.yaml'],
      place: { key: 'kafka.tls' },
      cause: error,
    });
  }
}

function authorities(file: string): string {
  const key = 'kafka.tls.ca_file';
  const text = readSettingFile(file, key);
  certificatesIn(text, file, key);
  return text;
}

function clientCertificate({ cert_file, key_file, key_passphrase }: TlsSettings): ConnectionOptions {
  // hippo.yaml has both or neither.
  if (cert_file === undefined || key_file === undefined) return {};
  const cert = readSettingFile(cert_file, 'kafka.tls.cert_file');
  const [own] = certificatesIn(cert, cert_file, 'kafka.tls.cert_file');
  const key = readSettingFile(key_file, 'kafka.tls.key_file');
  const privateKey = privateKeyIn(key, key_file, key_passphrase);
  if (own.validToDate.getTime() < Date.now()) {
    const expired = `holds a certificate that has expired on ${own.validToDate.toISOString().slice(0, 10)}`;
    throw unusableFile(cert_file, 'kafka.tls.cert_file', { problem: expired });
  }
  if (!own.checkPrivateKey(privateKey)) {
    throw unusableFile(key_file, 'kafka.tls.key_file', {
      problem: 'holds the key of another certificate',
      why: `The certificate is ${cert_file}.`,
    });
  }
  return { cert, key, ...(key_passphrase === undefined ? {} : { passphrase: key_passphrase }) };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(text: string, file: string, key: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...more] = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (first !== undefined) return [first, ...more];
  } catch (error) {
    const problem = 'holds a certificate that cannot be read';
    throw unusableFile(file, key, { problem, why: messageOf(error), cause: error });
  }
  throw unusableFile(file, key, {
    problem: 'holds no certificate',
    why: 'It must be PEM: -----BEGIN CERTIFICATE-----',
  });
}

function privateKeyIn(text: string, file: string, passphrase: string | undefined): KeyObject {
  const encrypted = /ENCRYPTED/.test(text);
  if (encrypted && passphrase === undefined) {
    throw new UserError('kafka.tls.key_passphrase is not set', {
      why: 'The key of kafka.tls.key_file is encrypted.',
      next: ['set kafka.tls.key_passphrase in hippo.yaml; ${VAR} takes it from the environment'],
      place: { file, key: 'kafka.tls.key_passphrase' },
    });
  }
  try {
    return createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    // What OpenSSL says of a wrong passphrase depends on the bytes that come out.
    throw encrypted
      ? new UserError('kafka.tls.key_passphrase does not open the key of kafka.tls.key_file', {
          next: ['check kafka.tls.key_passphrase in hippo.yaml'],
          place: { file, key: 'kafka.tls.key_passphrase' },
          cause: error,
        })
      : unusableFile(file, 'kafka.tls.key_file', {
          problem: 'holds no private key',
          why: 'It must be PEM: -----BEGIN PRIVATE KEY-----',
          cause: error,
        });
  }
}
