import { type HippoJsonSchema, jsonSchema } from '../config/json-schema.ts';
import { HippoCommand } from '../ui/base-command.ts';

export default class Schema extends HippoCommand<HippoJsonSchema> {
  static override summary = 'Print the JSON Schema of hippo.yaml, for editors and CI.';
  static override examples = ['<%= config.bin %> <%= command.id %> > hippo.schema.json'];

  protected async work(): Promise<HippoJsonSchema> {
    await this.parse(Schema);
    return jsonSchema();
  }

  protected render(result: HippoJsonSchema): string {
    return JSON.stringify(result, null, 2);
  }
}
