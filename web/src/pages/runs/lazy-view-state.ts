import { useEffect, useRef, useState } from 'react';
import { useViewState } from '../../ui/view-state.ts';

const PAUSE_MS = 300;

/** View state that changes at every key: the page follows at once, the address once typing rests. */
export function useLazyViewState(name: string): readonly [string, (value: string) => void] {
  const [told, tell] = useViewState(name);
  const [value, setValue] = useState(told);
  const last = useRef(told);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (told !== last.current) setValue(told);
    last.current = told;
  }, [told]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const set = (next: string): void => {
    setValue(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      last.current = next;
      tell(next);
    }, PAUSE_MS);
  };
  return [value, set];
}
