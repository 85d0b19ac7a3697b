import { ServiceError, UserError, messageOf } from '../../core/errors.ts';

/** A PostgreSQL that exists: it is used in the place of a local one. */
export interface ConfiguredDatabase {
  url: string;
  /** For people: without user, password and settings. */
  place: string;
}

/**
 * @param url of `$DATABASE_URL`
 * @throws UserError if it is no URL of a PostgreSQL
 */
export function configuredDatabase(url: string): ConfiguredDatabase {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new UserError('$DATABASE_URL must be a URL such as postgres://user:password@host:5432/database', {
      next: ['correct it', 'or unset DATABASE_URL: hippo up then starts a PostgreSQL'],
    });
  }
  const { hostname, port, pathname } = parsed;
  return {
    url,
    place: `postgres://${hostname === '' ? 'localhost' : hostname}:${port || '5432'}${pathname}`,
  };
}

/**
 * Connects to it.
 *
 * @returns its version, `16.2`
 * @throws ServiceError if it cannot be reached, or refuses
 */
export async function askDatabase({ url, place }: ConfiguredDatabase): Promise<string> {
  const { default: postgres } = await import('pg');
  try {
    const client = new postgres.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ version: string }>(
        "SELECT current_setting('server_version') AS version",
      );
      return rows[0]?.version.split(' ')[0] ?? 'unknown';
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    throw new ServiceError(`the PostgreSQL at ${place} cannot be used`, {
      why: messageOf(error),
      next: ['check $DATABASE_URL', 'or unset it: hippo up then starts a PostgreSQL'],
      cause: error,
    });
  }
}
