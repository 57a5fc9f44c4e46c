/** A hint that something changed: the page that shows it fetches again. Never carries the change itself. */
export interface Hint {
  readonly projectId: string;
  /** What changed: a path segment (`runs`, `models`) or an outbox topic. */
  readonly topic: string;
}

export interface Bus {
  publish(hint: Hint): void;
  /** Hears the hints of one project until the returned function is called. */
  subscribe(projectId: string, hear: (topic: string) => void): () => void;
}

/** Hints within this process; not an event log: who was away fetches again. */
export function createBus(): Bus {
  const listeners = new Map<string, Set<(topic: string) => void>>();
  return {
    publish({ projectId, topic }) {
      for (const hear of listeners.get(projectId) ?? []) hear(topic);
    },
    subscribe(projectId, hear) {
      const group = listeners.get(projectId) ?? new Set();
      listeners.set(projectId, group.add(hear));
      return () => {
        group.delete(hear);
        if (group.size === 0 && listeners.get(projectId) === group) listeners.delete(projectId);
      };
    },
  };
}
