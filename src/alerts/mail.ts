import type { Millis } from '../core/clock.ts';
import { plainText, type Summary } from './summary.ts';

/** A mail and the server that takes it. */
export interface Mail {
  readonly server: MailServer;
  readonly from: string;
  readonly to: readonly string[];
  /** One line. */
  readonly subject: string;
  readonly text: string;
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on; else STARTTLS where the server has it, and always where there is a user. */
  readonly isTls: boolean;
  readonly user: string | null;
  readonly password: { readonly text: string } | { readonly file: string } | null;
  readonly timeout: Millis;
}

/** RFC 5322 allows 998 characters in a line; mail programs show fewer. */
const SUBJECT = 150;

export function mailText(summary: Summary): Pick<Mail, 'subject' | 'text'> {
  const { title } = summary;
  return {
    subject: title.length <= SUBJECT ? title : `${title.slice(0, SUBJECT - 1).toWellFormed()}…`,
    text: `${plainText(summary)}\n`,
  };
}
