import { z } from 'zod';
import { ROUTES, type Route } from './routes';
import { idempotencyKey, problem } from './schemas';
import { TOKEN_HEADER } from './token';

type Json = Record<string, unknown>;

const schemaOf = (schema: z.ZodType): Json => {
  const json = z.toJSONSchema(schema, { io: 'input' }) as Json;
  delete json['$schema'];
  return json;
};
const refused = (description: string): Json => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** The OpenAPI 3.1 document of the REST API, made of the schemas that check the requests. */
export function openApi(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of ROUTES) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: { title: 'Berth autoscaler', version },
    paths,
    components: {
      schemas: { Problem: schemaOf(problem) },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: TOKEN_HEADER },
      },
    },
  };
}

function operationOf({ summary, changes, body, query, keyed, status }: Route): Json {
  const parameters = [
    ...parametersOf(query),
    ...(keyed ? [{ name: 'Idempotency-Key', in: 'header', schema: schemaOf(idempotencyKey) }] : []),
  ];
  const takesInput = body !== undefined || query !== undefined;
  return {
    summary,
    ...(changes && { security: [{ token: [] }, { header: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      [status]: {
        description: 'OK',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
      ...(takesInput && { 422: refused('A field is wrong') }),
      ...(changes && {
        400: refused('The body is no JSON'),
        401: refused('No token, or another one'),
        409: refused('It cannot be carried out now, or the key was used for something else'),
        413: refused('The body is too large'),
        415: refused('The body is not declared as application/json'),
      }),
      503: refused('Something that is needed is away'),
    },
  };
}

function parametersOf(query: z.ZodType | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {} } = schemaOf(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}
