import { z } from 'zod';
import type { Route } from '../wire/route.ts';
import { API, urlOf } from './mount.ts';

type Schema = Record<string, unknown>;

/** OpenAPI 3.1 of our own routes, from the schemas that check the requests. */
export function toOpenApi(routes: readonly Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const url = urlOf(route);
    if (!url.startsWith(API)) continue;
    const path = url.replace(/:([A-Za-z_]+)/g, '{$1}').replace(/\*$/, '{path}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Levain', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: ERROR_SCHEMA },
    },
    security: [{ token: [] }],
  };
}

const ERROR_SCHEMA: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'requestId'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        hint: { type: 'string' },
        details: { type: 'object' },
        requestId: { type: 'string' },
      },
    },
  },
};

function toOperation(route: Route): Schema {
  const body =
    route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content:
              route.body === 'stream'
                ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
                : { 'application/json': { schema: toSchema(route.body, 'input') } },
          },
        };
  const answer = route.response
    ? { content: { 'application/json': { schema: toSchema(route.response, 'output') } } }
    : {};
  const failure = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  return {
    summary: route.summary,
    'x-permission': route.permission,
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...body,
    responses: { '200': { description: 'Done', ...answer }, default: { description: 'What went wrong', ...failure } },
  };
}

function pathParameters(route: Route): Schema[] {
  const names = [...route.path.matchAll(/:([A-Za-z_]+)/g)].map((match) => match[1]!);
  if (route.path.endsWith('*')) names.push('path');
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(route: Route): Schema[] {
  if (!route.query) return [];
  const schema = toSchema(route.query, 'input');
  const required = new Set((schema['required'] as string[] | undefined) ?? []);
  return Object.entries((schema['properties'] as Record<string, Schema> | undefined) ?? {}).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.has(name),
    schema: property,
  }));
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
  return rest;
}
