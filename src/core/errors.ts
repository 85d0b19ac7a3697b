/**
 * The four kinds of error that a command can end with, and the exit codes they map to.
 *
 * Every error has what failed (`message`), why (`why`) and what to do next (`next`: commands or sentences, most
 * useful first). Only a {@link BugError} or an error of another kind is printed with its stack.
 */

/** Documented in the README; the same with and without `--json`. */
export const ExitCode = {
  ok: 0,
  /** A check, job or wait has failed. */
  notFine: 1,
  /** Bad usage, input or configuration. */
  usage: 2,
  /** Kafka or another service cannot be reached. */
  unreachable: 3,
  timeout: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The place of bad input, as far as it is known. Lines and columns count from 1. */
export interface ErrorPlace {
  file?: string;
  line?: number;
  column?: number;
  /** The key inside a document, e.g. `jobs.load.needs[0].table`. */
  key?: string;
  topic?: string;
  partition?: number;
}

export interface ErrorDetails {
  why?: string | undefined;
  next?: readonly string[] | undefined;
  place?: ErrorPlace | undefined;
  cause?: unknown;
}

export type ErrorKind = 'user' | 'service' | 'child' | 'bug';

export abstract class HippoError extends Error {
  abstract readonly kind: ErrorKind;
  abstract readonly exitCode: ExitCode;
  readonly why: string | undefined;
  readonly next: readonly string[];
  readonly place: ErrorPlace | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.why = details.why;
    this.next = details.next ?? [];
    this.place = details.place;
  }

  /** The error as `--json` prints it under the key `error`. */
  toJSON(): ErrorReport {
    return {
      kind: this.kind,
      message: this.message,
      exit_code: this.exitCode,
      ...(this.why === undefined ? {} : { why: this.why }),
      ...(this.place === undefined ? {} : { place: this.place }),
      next: [...this.next],
    };
  }
}

/** The JSON form of an error. */
export interface ErrorReport {
  kind: ErrorKind;
  message: string;
  exit_code: ExitCode;
  why?: string;
  place?: ErrorPlace;
  next: string[];
  /** Only for bugs. */
  stack?: string;
}

/** The user must change usage, input or configuration. */
export class UserError extends HippoError {
  readonly kind = 'user';
  readonly exitCode: ExitCode = ExitCode.usage;
}

/** The check, job or wait that the command asked for has failed (exit code 1). */
export class NotFineError extends HippoError {
  readonly kind = 'user';
  readonly exitCode: ExitCode = ExitCode.notFine;
}

/** Kafka or another service cannot be reached, or refused the request. */
export class ServiceError extends HippoError {
  readonly kind = 'service';
  readonly exitCode: ExitCode = ExitCode.unreachable;
}

/** A wait took longer than its timeout. */
export class TimeoutError extends HippoError {
  readonly kind = 'service';
  readonly exitCode: ExitCode = ExitCode.timeout;
}

/** A child process that hippo started has failed. */
export class ChildError extends HippoError {
  readonly kind = 'child';
  readonly exitCode: ExitCode = ExitCode.notFine;
}

/** A state that should be impossible: a fault in hippo itself. */
export class BugError extends HippoError {
  readonly kind = 'bug';
  readonly exitCode: ExitCode = ExitCode.notFine;
}

/** The user (Ctrl-C) or the supervisor (SIGTERM) stopped the command. */
export class InterruptedError extends HippoError {
  readonly kind = 'user';
  readonly exitCode: ExitCode = ExitCode.interrupted;

  constructor(message = 'interrupted', details: ErrorDetails = {}) {
    super(message, details);
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
