import { AppError } from './errors.ts';

/** A total table: every state answers every event with the next state, or null where the event is refused. */
export type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Record<Event, State | null>>>
>;

/** The next state, or `conflict` with the sentence `A <noun> that is <state> cannot <event>`. */
export function transition<State extends string, Event extends string>(
  table: Transitions<State, Event>,
  noun: string,
  state: State,
  event: Event,
): State {
  const next = table[state][event];
  if (next === null) throw new AppError('conflict', `A ${noun} that is ${state} cannot ${event}`, { state, event });
  return next;
}
