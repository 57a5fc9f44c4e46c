import type { dataRoutes } from '../../../src/data/index.ts';
import type { serverRoutes, sessionRoutes } from '../../../src/http/index.ts';
import type { identityRoutes, secretRoutes } from '../../../src/identity/index.ts';
import type { monitoringRoutes, PredictionWhy as ServerPredictionWhy } from '../../../src/monitoring/index.ts';
import type { pipelinesRoutes } from '../../../src/pipelines/index.ts';
import type { registryRoutes } from '../../../src/registry/index.ts';
import type { servingRoutes } from '../../../src/serving/index.ts';
import type { trackingRoutes } from '../../../src/tracking/index.ts';
import type { RouteTypes } from '../../../src/wire/route.ts';

/** Every route of the server's own interface, by type alone: nothing of the server comes into the browser. */
type AnyRoute = ReturnType<
  | typeof dataRoutes
  | typeof identityRoutes
  | typeof monitoringRoutes
  | typeof pipelinesRoutes
  | typeof registryRoutes
  | typeof secretRoutes
  | typeof serverRoutes
  | typeof servingRoutes
  | typeof sessionRoutes
  | typeof trackingRoutes
>[number];

/** What JSON makes of a value: dates are texts, and what is undefined is not there. */
export type Jsonified<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(): infer J }
    ? J
    : T extends readonly (infer Item)[]
      ? readonly Jsonified<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: Jsonified<T[K]> }
        : T;

type TypesOf<R> = R extends { readonly types?: infer T } ? NonNullable<T> : never;

/** Every call by its name, such as `GET /status`. */
export type Api = { readonly [R in AnyRoute as `${R['method']} ${R['path']}`]: TypesOf<R> };
export type CallName = keyof Api;

export type AnswerOf<C extends CallName> =
  Api[C] extends RouteTypes<infer _P, infer _Q, infer _B, infer A> ? Jsonified<A> : never;
export type QueryOf<C extends CallName> = Api[C] extends RouteTypes<infer _P, infer Q, infer _B, infer _A> ? Q : never;
export type BodyOf<C extends CallName> = Api[C] extends RouteTypes<infer _P, infer _Q, infer B, infer _A> ? B : never;

/** The names after the colons of a path: `/models/:model/versions/:version` needs model and version. */
export type ParamsOf<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? { readonly [K in Name]: string | number } & ParamsOf<`/${Rest}`>
  : P extends `${string}:${infer Name}`
    ? { readonly [K in Name]: string | number }
    : unknown;

/** `data` of `GET /why/:id` where the id is a prediction's. */
export type PredictionWhy = Jsonified<ServerPredictionWhy>;
