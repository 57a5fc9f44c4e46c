import { type ReactNode, useEffect, useRef, useState } from 'react';

interface WhenSeenProps {
  /** Of what comes, so that nothing moves when it does. */
  readonly height: number;
  readonly children: ReactNode;
}

/** Made once it comes near the window, then kept: a page of two hundred charts draws those that are looked at. */
export function WhenSeen({ height, children }: WhenSeenProps) {
  const place = useRef<HTMLDivElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (isSeen || !element) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setSeen(true);
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [isSeen]);
  return (
    <div ref={place} style={{ minWidth: 0, ...(isSeen ? {} : { minHeight: height }) }}>
      {isSeen && children}
    </div>
  );
}
