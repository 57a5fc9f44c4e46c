import { Button, type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const crust: MantineColorsTuple = [
  '#fbf0e4',
  '#f3dcc2',
  '#eac69c',
  '#e3b078',
  '#e39a4f',
  '#cf7f31',
  '#b8651b',
  '#a1560f',
  '#85460b',
  '#6a3707',
];

/** Mantine's own look, told by our tokens (tokens.css): one accent, borders for shadows, 13 px. */
export const theme = createTheme({
  colors: { crust },
  primaryColor: 'crust',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 6,
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Mantine decides the text's colour by the light theme's accent; the dark one's needs dark text.
    Button: Button.extend({
      vars: (_, { variant = 'filled', color }) => ({
        root:
          variant !== 'filled'
            ? {}
            : color === undefined
              ? { '--button-color': 'var(--on-accent)' }
              : // Mantine's own red is too pale for white words on it.
                color === 'red'
                ? { '--button-color': 'var(--on-accent)', '--button-bg': 'var(--bad)', '--button-hover': 'var(--bad)' }
                : {},
      }),
    }),
    // Its cross needs a name, and the dialog's head is none of the page.
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, attributes: { header: { role: 'none' } } } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: colours(),
  dark: colours(),
});

const colours = (): Record<string, string> => ({
  '--mantine-color-body': 'var(--bg)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--text-2)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-default-hover': 'var(--surface-2)',
  '--mantine-color-error': 'var(--bad)',
  '--mantine-color-placeholder': 'var(--text-3)',
});
