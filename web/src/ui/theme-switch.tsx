import { useMantineColorScheme } from '@mantine/core';

const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const;
const SIGNS = { auto: '◐', light: '☀', dark: '☾' } as const;
const WORDS = { auto: 'as the system', light: 'light', dark: 'dark' } as const;

/** As the system, light, dark, and round again. */
export function ThemeSwitch({ className }: { readonly className?: string | undefined }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = NEXT[colorScheme];
  return (
    <button
      type="button"
      className={className}
      onClick={() => setColorScheme(next)}
      aria-label={`Theme: ${WORDS[colorScheme]}`}
      title={`Theme: ${WORDS[colorScheme]}. A click makes it ${WORDS[next]}.`}
    >
      <span aria-hidden="true">{SIGNS[colorScheme]}</span>
    </button>
  );
}
