export { type Authenticator, assertAllowed, createAuthenticator, hasAdministrator, type Identified } from './access.ts';
export { listActivity, recordActivity } from './activity.ts';
export type { IdentityDeps } from './deps.ts';
export type { IdentityTables } from './identity.store.ts';
export { addPerson, createProject, getProject, listPeople, listProjects, login } from './people.ts';
export { identityRoutes, secretRoutes } from './routes.ts';
export {
  createToken,
  issueGatewayToken,
  issueStepToken,
  listTokens,
  revokeStepToken,
  revokeToken,
  revokeTokenItself,
} from './tokens.ts';
export {
  type Activity,
  type ActivityKind,
  type NewActivity,
  type Person,
  type Project,
  ROLES,
  type Role,
} from './types.ts';
