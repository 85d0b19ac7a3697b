/** How far something that only grows has been read. */
export interface Watermark {
  /** What it is of, as its reader names it: with another name it does not count. */
  readonly of: string;
  /** The value up to which has been read, as its reader writes it. */
  readonly at: string;
}
