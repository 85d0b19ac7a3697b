/** The OpenAPI document, and a page to try the routes, from this origin only. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { packageRoot } from '../../version.ts';
import { PAGE_FILES } from './page-files.ts';

export interface DocsOptions {
  title: string;
  description: string;
  version: string;
  hasKeys: boolean;
}

/** Scripts and styles of this origin only, none of them inline; swagger-ui's icons are `data:` URLs. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const START = `SwaggerUIBundle({ url: '../openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null });\n`;

/** Must be registered before the routes that it describes. */
export async function addDocument(app: FastifyInstance, options: DocsOptions): Promise<void> {
  const { title, description, version, hasKeys } = options;
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version },
      servers: [{ url: '/' }],
      ...(hasKeys && {
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer' },
            key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          },
        },
        security: [{ bearer: [] }, { key: [] }],
      }),
    },
  });
}

export function addPage(app: FastifyInstance, { title }: DocsOptions): void {
  const config = { isOpen: true };
  const hidden = { config, schema: { hide: true } };
  app.get('/openapi.json', hidden, () => app.swagger());
  app.get('/docs', hidden, (_, reply) => reply.redirect('docs/', 308));
  app.get('/docs/', hidden, (_, reply) =>
    reply.headers({ 'content-security-policy': CSP }).type('text/html; charset=utf-8').send(pageOf(title)),
  );
  app.get('/docs/start.js', hidden, (_, reply) => reply.type('text/javascript; charset=utf-8').send(START));
  for (const [name, type] of Object.entries(PAGE_FILES))
    app.get(`/docs/${name}`, hidden, async (_, reply) => {
      const bytes = await readFile(fileOf(name));
      return reply.headers({ 'cache-control': 'max-age=3600' }).type(type).send(bytes);
    });
}

/** In a checkout without a build they are in the package they come from. */
function fileOf(name: string): URL {
  const built = new URL(`dist/swagger-ui/${name}`, packageRoot);
  return existsSync(built) ? built : new URL(`node_modules/@fastify/swagger-ui/static/${name}`, packageRoot);
}

function pageOf(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" type="image/png" href="favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
