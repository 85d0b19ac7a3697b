/** X.509 certificates as an authority would issue them, right and wrong. */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM, PKCS #8. */
  key: string;
}

export interface Subject {
  name: string;
  /** The hosts that it is for: DNS names and IP addresses. */
  hosts?: readonly string[];
  /** Dates; left out: from yesterday for a year. */
  valid?: { from: string; to: string };
}

/** An authority with a certificate of its own. */
export interface Authority extends Certificate {
  issue(subject: Subject): Promise<Certificate>;
}

export async function createAuthority(name: string): Promise<Authority> {
  const own = await create({ name }, { authority: true });
  return { ...own, issue: (subject) => create(subject, { issuer: { name, key: own.key } }) };
}

export function selfSigned(subject: Subject): Promise<Certificate> {
  return create(subject, {});
}

interface Signing {
  authority?: boolean;
  /** Left out: signed by itself. */
  issuer?: { name: string; key: string };
}

async function create(
  { name, hosts = [], valid }: Subject,
  { authority = false, issuer }: Signing,
): Promise<Certificate> {
  const { publicKey, privateKey: key } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = new Date(valid?.from ?? Date.now() - DAY_MS);
  certificate.validity.notAfter = new Date(valid?.to ?? Date.now() + 365 * DAY_MS);
  certificate.setSubject(named(name));
  certificate.setIssuer(named(issuer?.name ?? name));
  certificate.setExtensions([
    { name: 'basicConstraints', cA: authority, critical: true },
    ...(hosts.length === 0 ? [] : [{ name: 'subjectAltName', altNames: hosts.map(altName) }]),
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.key ?? key), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key };
}

function named(name: string): forge.pki.CertificateField[] {
  return [{ name: 'commonName', value: name }];
}

/** Types of https://datatracker.ietf.org/doc/html/rfc5280#section-4.2.1.6 */
function altName(host: string): object {
  return /^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host };
}
