/** The OpenAPI document (3.1) of a source that takes reports. */
import { type Expected, MOST_REPORTS } from './report-body.ts';

export function openApi({ table, levels }: Expected): object {
  const problem = (description: string, headers: object = {}): object => ({
    description,
    headers,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  const retry = {
    'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
  };
  const value = { type: ['string', 'integer'], description: 'Not empty; a whole number counts as its text.' };
  const report = { $ref: '#/components/schemas/Report' };
  return {
    openapi: '3.1.0',
    info: { title: `Landings of ${table}`, version: '1' },
    security: [{ token: [] }],
    paths: {
      '/landed': {
        post: {
          operationId: 'reportLandings',
          summary: `Report that partitions of ${table} have landed`,
          description:
            'It is answered when the events are committed in Kafka. With an Idempotency-Key, or an id in each report, it can be ' +
            'sent again until it is answered: each landing gets one event.',
          parameters: [
            {
              name: 'Idempotency-Key',
              in: 'header',
              description: 'Names this request. Not together with ids in the reports.',
              schema: { type: 'string', pattern: '^[!-~]{1,200}$' },
            },
          ],
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: {
                  anyOf: [report, { type: 'array', items: report, minItems: 1, maxItems: MOST_REPORTS }],
                },
              },
            },
          },
          responses: {
            201: {
              description: 'Announced, now or when the same request came before.',
              headers: {
                'Idempotency-Replayed': {
                  description: 'true: all of it was announced before.',
                  schema: { type: 'string' },
                },
              },
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Announced' } } },
            },
            400: problem('The body is not JSON, or Idempotency-Key is no key.'),
            401: problem('The bearer token is missing or wrong.'),
            403: problem(`A report is of another table than ${table}.`),
            413: problem('The body is larger than 64 KiB.'),
            415: problem('The body is of another type than application/json.'),
            422: problem('A field is wrong, or another landing was reported under this id or key.'),
            429: problem('Too many requests.', retry),
            503: problem('The source is paused, or Kafka cannot be written to now.', retry),
          },
        },
      },
      '/openapi.json': {
        get: {
          operationId: 'describe',
          summary: 'This document',
          responses: {
            200: {
              description: 'OpenAPI 3.1',
              content: { 'application/json': { schema: { type: 'object' } } },
            },
            401: problem('The bearer token is missing or wrong.'),
            429: problem('Too many requests.', retry),
            503: problem('The file with the token cannot be read.', retry),
          },
        },
      },
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Report: {
          type: 'object',
          additionalProperties: false,
          required: ['partition'],
          properties: {
            partition: {
              type: 'object',
              description: 'Level name to value; empty for an unpartitioned table.',
              ...(levels === null
                ? { additionalProperties: value }
                : {
                    additionalProperties: false,
                    required: [...levels],
                    properties: Object.fromEntries(levels.map((level) => [level, value])),
                  }),
            },
            id: { type: 'string', pattern: '^[!-~]{1,200}$', description: 'Names this landing for good.' },
            exec_date: {
              type: ['integer', 'string'],
              description: 'When it landed, epoch seconds; left out: now.',
            },
            method: { type: 'string', pattern: '^\\w{1,50}$', description: 'How it changed the partition.' },
            table: { const: table },
          },
        },
        Announced: {
          type: 'object',
          required: ['announced'],
          properties: {
            announced: {
              type: 'array',
              items: {
                type: 'object',
                required: ['id', 'table', 'partition', 'exec_date'],
                properties: {
                  id: { type: 'string' },
                  table: { type: 'string' },
                  partition: { type: 'string', description: 'As a path: dt=2017-04-28/region=us.' },
                  exec_date: { type: 'integer', description: 'Of the event, epoch seconds.' },
                },
              },
            },
          },
        },
        Problem: {
          type: 'object',
          description: 'RFC 9457',
          required: ['type', 'title', 'status', 'detail'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            errors: {
              type: 'array',
              description: 'Each field that is wrong.',
              items: {
                type: 'object',
                properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
              },
            },
          },
        },
      },
    },
  };
}
