import { urlOf } from './address.ts';
import { type Exposition, hasSamples } from './exposition.ts';

/** How long a service may take to answer, milliseconds: less than the 10 s that Prometheus waits for the client. */
const SCRAPE = 3_000;
/** More is not taken in, bytes. */
const MOST = 16 * 1024 * 1024;

export interface Scraped {
  service: string;
  port: number | null;
  /** `metrics` of hippo.yaml. */
  place: string;
}

/** @returns what each exposes; a service that does not answer has `hippo_service_scrape_up` 0 and nothing else */
export async function scrapeServices(hippo: string, services: readonly Scraped[]): Promise<Exposition[]> {
  if (services.length === 0) return [];
  const answers = await Promise.all(services.map(async (of) => ({ of, text: await scrape(of) })));
  const up = answers.map(
    ({ of, text }) =>
      `hippo_service_scrape_up{service="${of.service}",hippo="${hippo}"} ${text === null ? 0 : 1}`,
  );
  return [
    {
      labels: [],
      isOwn: true,
      text: [
        "# HELP hippo_service_scrape_up 1: the service's own metrics could be read; 0: they could not.",
        '# TYPE hippo_service_scrape_up gauge',
        ...up,
      ].join('\n'),
    },
    ...answers.flatMap(({ of, text }): Exposition[] =>
      text === null
        ? []
        : [
            {
              text,
              labels: [
                ['service', of.service],
                ['hippo', hippo],
              ],
              isOwn: false,
            },
          ],
    ),
  ];
}

async function scrape({ place, port }: Scraped): Promise<string | null> {
  try {
    const answer = await fetch(urlOf(place, port), {
      headers: { accept: 'text/plain' },
      signal: AbortSignal.timeout(SCRAPE),
    });
    const text = answer.ok ? await textOf(answer) : null;
    return text !== null && hasSamples(text) ? text : null;
  } catch {
    return null;
  }
}

/** @returns null where there is too much of it */
async function textOf({ body }: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    // Leaving the loop ends the request.
    if (size > MOST) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
