import type { ReactNode } from 'react';

const icon = (path: ReactNode) => () => (
  <svg
    width="16"
    height="16"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    aria-hidden="true"
  >
    {path}
  </svg>
);

export const HomeIcon = icon(<path d="M2 7.5 8 2.5l6 5V14H10v-4H6v4H2Z" strokeLinejoin="round" />);
export const ModelsIcon = icon(
  <path d="M8 1.8 14 5v6l-6 3.2L2 11V5Zm0 6.4L14 5M8 8.2 2 5m6 3.2v6" strokeLinejoin="round" />,
);
export const RunsIcon = icon(<path d="M2 13V9m4 4V4m4 9V7m4 6V2" strokeLinecap="round" />);
export const DataIcon = icon(
  <>
    <ellipse cx="8" cy="3.8" rx="5.5" ry="2" />
    <path d="M2.5 3.8v8.4c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V3.8M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2" />
  </>,
);
export const ActivityIcon = icon(
  <path d="M1.5 8.5h3l2-5.5 3 10 2-4.5h3" strokeLinejoin="round" strokeLinecap="round" />,
);
export const SettingsIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.2" />
    <path
      d="M8 1.5v2m0 9v2m6.5-6.5h-2m-9 0h-2m11.1-4.6-1.4 1.4m-6.4 6.4-1.4 1.4m9.2 0-1.4-1.4M4.8 4.8 3.4 3.4"
      strokeLinecap="round"
    />
  </>,
);
