export { type Bus, createBus, type Hint } from './bus.ts';
export { isLoopback } from './guard.ts';
export { createHttpServer, type HttpDeps, type HttpServer } from './server.ts';
export { type ServerFacts, serverRoutes } from './server-route.ts';
export { sessionRoutes } from './session.ts';
export { loadWeb, type Web } from './web.ts';
