import { type ErrorDetails, ServiceError } from '../core/errors.ts';
import { CERTIFICATE_WANTED, TLS_WANTED } from './wire/index.ts';

/** What to change in hippo.yaml. */
export const USE_TLS = [
  'set kafka.tls in hippo.yaml, to true or with ca_file',
  "or name the broker's plain port in kafka.brokers",
];
export const USE_PLAIN = [
  'set kafka.tls to false in hippo.yaml',
  "or name the broker's TLS port in kafka.brokers",
];
export const USE_CERTIFICATE = ['set kafka.tls.cert_file and kafka.tls.key_file in hippo.yaml'];

/** Whether a code of Node, OpenSSL or ours says that TLS itself failed: another try does not help. */
export function isTlsFailure(code: string): boolean {
  return tlsFailed(code, { at: '', words: '' }) !== undefined;
}

/**
 * Node's and OpenSSL's names of TLS failures (https://nodejs.org/api/tls.html#x509-certificate-error-codes), put into words.
 *
 * @param at the broker, `host:port`
 * @param words Node's own; only they tell the names that a certificate is for
 * @returns undefined for a code that is none of them
 */
export function tlsFailed(
  code: string,
  { at, words, cause }: { at: string; words: string; cause?: unknown },
): ServiceError | undefined {
  const failed = (message: string, details: ErrorDetails): ServiceError =>
    new ServiceError(message, { ...details, cause });
  const certificate = `the certificate of Kafka at ${at}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return failed(`${certificate} has expired`, { next: ["renew the broker's certificate"] });
    case 'CERT_NOT_YET_VALID':
      return failed(`${certificate} is not valid yet`, {
        next: ['check the clocks of this machine and of the broker'],
      });
    case 'CERT_REVOKED':
      return failed(`${certificate} has been revoked`, { next: ["renew the broker's certificate"] });
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return failed(`${certificate} is self-signed`, {
        why: 'It is signed by itself, and kafka.tls.ca_file does not hold it.',
        next: ['set kafka.tls.ca_file in hippo.yaml to that certificate (PEM)'],
        place: { key: 'kafka.tls.ca_file' },
      });
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
    case 'CERT_UNTRUSTED':
      return failed(`${certificate} is not trusted`, {
        why: 'No authority that this machine or kafka.tls.ca_file names has signed it.',
        next: ["set kafka.tls.ca_file in hippo.yaml to its authority's certificate (PEM)"],
        place: { key: 'kafka.tls.ca_file' },
      });
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(`${certificate} is for another host`, {
        why: words.replace(/^.*?altnames: /, ''),
        next: [
          'name the broker in kafka.brokers as its certificate does',
          'or set kafka.tls.server_name in hippo.yaml to a name of the certificate',
        ],
        place: { key: 'kafka.tls.server_name' },
      });
    case TLS_WANTED:
      return failed(`Kafka at ${at} wants TLS`, {
        why: 'It answered with a TLS alert.',
        next: USE_TLS,
        place: { key: 'kafka.tls' },
      });
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return failed(`Kafka at ${at} does not speak TLS`, { next: USE_PLAIN, place: { key: 'kafka.tls' } });
    case CERTIFICATE_WANTED:
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
      return failed(`Kafka at ${at} wants a client certificate`, {
        next: USE_CERTIFICATE,
        place: { key: 'kafka.tls.cert_file' },
      });
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
    case 'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED':
    case 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED':
      return failed(`Kafka at ${at} refuses our client certificate`, {
        why: alertOf(code),
        next: ['check kafka.tls.cert_file in hippo.yaml: does the broker trust its authority?'],
        place: { key: 'kafka.tls.cert_file' },
      });
    case 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE':
    case 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return failed(`Kafka at ${at} ends the TLS handshake`, {
        why: alertOf(code),
        next: [
          'if it wants a client certificate: set kafka.tls.cert_file in hippo.yaml',
          'else check its ssl.enabled.protocols and ssl.cipher.suites',
        ],
        place: { key: 'kafka.tls' },
      });
    default:
      return undefined;
  }
}

/** `ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN`: `It sent the TLS alert "certificate unknown".` */
function alertOf(code: string): string {
  const name = code
    .replace(/^.*_ALERT_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
  return `It sent the TLS alert "${name}".`;
}
