/** Why PostgreSQL cannot be read: it is away, or refuses what it was asked. */
import { messageOf } from '../../core/errors.ts';
import { type ScanError, SourceAwayError, SourceSettingError, isScanError } from '../scanner.ts';

/** What a statement is for, in the words of hippo.yaml. */
export interface Asked {
  /** `postgres://host:5432/database` */
  place: string;
  /** The key whose value PostgreSQL was asked with: `sql.query`; null: it was only connected to. */
  key: string | null;
  /** Characters of the statement before that value. */
  before?: number;
  /** That value, where it is SQL. */
  text?: string;
}

/** What pg adds to the errors that the server reports (pg-protocol, DatabaseError). */
interface Reported {
  code?: string;
  hint?: string;
  position?: string;
}

/**
 * Codes are those of https://www.postgresql.org/docs/current/errcodes-appendix.html. What concerns the session, the server's
 * resources or its shutdown is over some time; what concerns the statement, the rights or the login is not.
 */
export function scanError(thrown: unknown, asked: Asked): ScanError {
  if (isScanError(thrown)) return thrown;
  const { code = '' } = thrown as Reported;
  const isReported = /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code);
  if (code === '57014' && messageOf(thrown).includes('statement timeout'))
    return new SourceAwayError(`${asked.place} has not answered ${asked.key ?? 'in time'}`, {
      why: 'it took longer than sql.timeout. Set a longer one, or make the statement faster',
      cause: thrown,
    });
  if (isTls(code, messageOf(thrown)))
    return new SourceSettingError(`${asked.place} cannot be trusted`, {
      why: `${reasonOf(thrown, asked)}. sslmode and sslrootcert of sql.url say what is trusted`,
      cause: thrown,
    });
  // What pg says by itself of a password that is missing or wrong (RFC 5802).
  const isLogin = /^(28|3D)/.test(code) || messageOf(thrown).startsWith('SASL');
  if (!isLogin && (!isReported || /^(08|40|53|55|57|58|XX)/.test(code)))
    return new SourceAwayError(`the database ${asked.place} is away`, {
      why: reasonOf(thrown, asked),
      cause: thrown,
    });
  if (isLogin || asked.key === null)
    return new SourceSettingError(`${asked.place} refuses the login`, {
      why: `${reasonOf(thrown, asked)}. Correct sql.url or sql.password_file`,
      cause: thrown,
    });
  return new SourceSettingError(`PostgreSQL refuses ${asked.key}`, {
    why: `${reasonOf(thrown, asked)}. Correct ${asked.key}${code === '42501' ? ', or grant the right' : ''}`,
    cause: thrown,
  });
}

/** What node:tls says of certificates, and pg of a server without TLS. */
function isTls(code: string, message: string): boolean {
  return (
    /^ERR_(TLS|SSL)|CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code) ||
    message === 'The server does not support SSL connections'
  );
}

/** `column "dtt" does not exist (42703) at "dtt, count(*)…"; Perhaps you meant to reference the column "orders.dt"` */
function reasonOf(thrown: unknown, { text, before = 0 }: Asked): string {
  const { code, hint, position } = thrown as Reported;
  // A connection to several addresses fails with one error for each, and no message of its own.
  const message =
    thrown instanceof AggregateError && thrown.message === ''
      ? thrown.errors.map(messageOf).join(', ')
      : messageOf(thrown);
  const at = position === undefined || text === undefined ? -1 : Number(position) - 1 - before;
  const rest = at < 0 ? '' : (text ?? '').slice(at).replaceAll(/\s+/g, ' ');
  return [
    message,
    ...(code === undefined || message.includes(code) ? [] : [` (${code})`]),
    ...(rest === '' ? [] : [` at "${rest.length > 30 ? `${rest.slice(0, 30)}…` : rest}"`]),
    ...(hint === undefined ? [] : [`; ${hint.replace(/\.$/, '')}`]),
  ].join('');
}
