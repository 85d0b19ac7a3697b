/** Templates of the JSON that a webhook gets. */
import { Liquid, LiquidError } from 'liquidjs';
import { type Json, type JsonObject, parsePlainJson } from '../../core/json.ts';

export interface BodyTemplate {
  /** @throws Error where a name has no value */
  render(context: JsonObject): string;
}

export type CompiledBody = { ok: true; template: BodyTemplate } | { ok: false; message: string };

/** Others write text that is not escaped, or read files. */
const TAGS = ['assign', 'case', 'comment', 'for', 'if', 'unless'];

/** Whatever a template writes of a value is JSON: text in quotes, escaped. So no value can break out of its place. */
const liquid = new Liquid({
  strictFilters: true,
  strictVariables: true,
  ownPropertyOnly: true,
  outputEscape: (value: unknown) => jsonOf(value),
  templates: {},
});
liquid.registerFilter('json', { handler: jsonOf, raw: true });
liquid.registerFilter('raw', () => {
  throw new Error('raw would write a value that is not JSON; use json');
});
for (const name of Object.keys(liquid.tags))
  if (!TAGS.includes(name)) Reflect.deleteProperty(liquid.tags, name);

function jsonOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/**
 * Checks syntax, filters, names, and that what comes of it is JSON.
 *
 * @param samples contexts that between them have all that there can be
 */
export function compileBody(source: string, samples: readonly JsonObject[]): CompiledBody {
  try {
    const parsed = liquid.parse(source);
    const template = { render: (context: JsonObject): string => String(liquid.renderSync(parsed, context)) };
    const names = Object.keys(samples[0] ?? {});
    const unknown = liquid.globalVariablesSync(parsed).find((name) => !names.includes(name));
    if (unknown !== undefined)
      return { ok: false, message: `unknown name "${unknown}"; allowed: ${names.join(', ')}` };
    for (const sample of samples) {
      const why = whyNoJson(template.render(sample));
      if (why !== undefined)
        return {
          ok: false,
          message: `it does not come to JSON (${why}); a value stands without quotes: {{ text }}`,
        };
    }
    return { ok: true, template };
  } catch (error) {
    return { ok: false, message: reasonOf(error) };
  }
}

function whyNoJson(text: string): string | undefined {
  try {
    parsePlainJson(text) as Json;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/ in JSON at.*/s, '') : undefined;
  }
}

function reasonOf(error: unknown): string {
  const origin =
    error instanceof Error && LiquidError.is(error) && error.originalError !== undefined
      ? error.originalError
      : error;
  return origin instanceof Error ? origin.message.replace(/, line:\d+, col:\d+$/, '') : String(origin);
}
