export { type Bus, createBus, type Hint } from './bus.ts';
export { isLoopback } from './guard.ts';
export { hinting } from './hints.ts';
export { createHttpServer, type HttpDeps, type HttpServer } from './server.ts';
export { type ServerFacts, serverRoute } from './server-route.ts';
