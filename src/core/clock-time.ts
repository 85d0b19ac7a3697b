/** A time of day as it is written in hippo.yaml: `02:00`. */
export const CLOCK_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What to write for a time of day: `"02:00"` where `2:00` stands, else the example. */
export function clockTimeFor(text: string, example: string): string {
  const meant = `0${text}`;
  return JSON.stringify(CLOCK_TIME.test(meant) ? meant : example);
}
