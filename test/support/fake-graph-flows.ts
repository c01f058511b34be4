/** The Flows of a business account at the fake Graph API. */
import { isObject, type JsonObject } from '../../src/json.ts';
import { demand, Refusal } from './fake-graph-refusal.ts';

export interface FakeFlow {
  readonly id: string;
  name: string;
  status: string;
  categories: readonly string[];
  /** The Flow JSON, as it came. */
  json: string | undefined;
  endpointUri: string | undefined;
  applicationId: string | undefined;
}

export class FakeFlows {
  readonly all: FakeFlow[] = [];
  /** What Meta finds wrong with every Flow JSON from here on. */
  validationErrors: readonly JsonObject[] = [];

  create(id: string, body: JsonObject): JsonObject {
    const { name, categories, flow_json, publish = false, endpoint_uri } = body;
    demand(typeof name === 'string' && name !== '' && this.all.every((flow) => flow.name !== name), 'name');
    demand(Array.isArray(categories) && categories.length > 0, 'categories');
    demand(flow_json === undefined || typeof flow_json === 'string', 'flow_json');
    const flow: FakeFlow = {
      id,
      name,
      status: publish === true && this.validationErrors.length === 0 ? 'PUBLISHED' : 'DRAFT',
      categories: categories.map(String),
      json: flow_json,
      endpointUri: typeof endpoint_uri === 'string' ? endpoint_uri : undefined,
      applicationId: undefined,
    };
    this.all.push(flow);
    return { id, ...(flow_json !== undefined && { success: true, validation_errors: this.validationErrors }) };
  }

  /** @returns undefined when there is no such Flow. */
  find(id: string): FakeFlow | undefined {
    return this.all.find((flow) => flow.id === id);
  }

  async upload(flow: FakeFlow, form: FormData): Promise<JsonObject> {
    const file = form.get('file');
    demand(form.get('name') === 'flow.json' && form.get('asset_type') === 'FLOW_JSON', 'name or asset_type');
    demand(file !== null && typeof file !== 'string' && file.type === 'application/json', 'file');
    this.#change(flow);
    flow.json = await file.text();
    return { success: true, validation_errors: this.validationErrors };
  }

  update(flow: FakeFlow, { endpoint_uri, application_id }: JsonObject): JsonObject {
    demand(endpoint_uri === undefined || typeof endpoint_uri === 'string', 'endpoint_uri');
    demand(application_id === undefined || typeof application_id === 'string', 'application_id');
    this.#change(flow);
    flow.endpointUri = endpoint_uri ?? flow.endpointUri;
    flow.applicationId = application_id ?? flow.applicationId;
    return { success: true };
  }

  publish(flow: FakeFlow): JsonObject {
    const isFit = flow.status === 'DRAFT' && flow.json !== undefined && this.validationErrors.length === 0;
    if (!isFit) throw new Refusal(`publishing ${flow.json} failed`, 400, 139002);
    flow.status = 'PUBLISHED';
    return { success: true };
  }

  deprecate(flow: FakeFlow): JsonObject {
    if (flow.status !== 'PUBLISHED') throw new Refusal(`cannot deprecate ${flow.name}`, 400, 139003);
    flow.status = 'DEPRECATED';
    return { success: true };
  }

  show(flow: FakeFlow, fields: readonly string[]): JsonObject {
    const { id, name, status, categories, endpointUri, applicationId } = flow;
    const { version, data_api_version } = JSON.parse(flow.json ?? '{}') as Record<string, string | undefined>;
    const shown: Record<string, JsonObject[string] | undefined> = {
      id,
      name,
      status,
      categories,
      validation_errors: this.validationErrors,
      json_version: version,
      data_api_version,
      endpoint_uri: endpointUri,
      application:
        applicationId === undefined ? undefined : { id: applicationId, name: 'App', link: 'https://example' },
      health_status: health(id, status),
    };
    const unknown = fields.find((field) => !(field in shown));
    demand(unknown === undefined, `field ${unknown}`);
    return JSON.parse(JSON.stringify(Object.fromEntries(fields.map((field) => [field, shown[field]])))) as JsonObject;
  }

  #change(flow: FakeFlow): void {
    if (flow.status === 'DEPRECATED') throw new Refusal(`cannot update ${flow.name}`, 400, 139001);
    flow.status = 'DRAFT';
  }
}

function health(id: string, status: string): JsonObject {
  if (status !== 'DRAFT') return { can_send_message: 'AVAILABLE', entities: [] };
  const error = { error_code: 131000, error_description: 'The flow is a draft', possible_solution: 'Publish it' };
  const entity = { entity_type: 'FLOW', id, can_send_message: 'BLOCKED', errors: [error] };
  return { can_send_message: 'BLOCKED', entities: [entity] };
}

/** @returns the body as an object. */
export function parseBody(type: string, bytes: Buffer): JsonObject {
  demand(/^application\/json\b/.test(type), `content type ${type}`);
  const body: unknown = JSON.parse(bytes.toString());
  demand(isObject(body), 'not an object');
  return body;
}
