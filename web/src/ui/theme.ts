import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core';

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

/** Filled buttons take their colours from the tokens, which are readable in both themes. */
const readable: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  const name = input.color ?? input.theme.primaryColor;
  const fill = { crust: '--accent', red: '--bad' }[name];
  if (input.variant !== 'filled' || fill === undefined) return usual;
  const hover = `color-mix(in srgb, var(${fill}) 88%, var(--text))`;
  return { ...usual, background: `var(${fill})`, hover, color: 'var(--on-accent)', border: '1px solid transparent' };
};

/** Mantine's own look, told by our tokens (tokens.css): one accent, borders for shadows, 13 px. */
export const theme = createTheme({
  colors: { crust },
  primaryColor: 'crust',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  variantColorResolver: readable,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 6,
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '15px', xl: '18px' },
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
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
  // The greys of segmented controls, codes and skeletons are ours, too.
  '--mantine-color-gray-0': 'var(--surface-2)',
  '--mantine-color-gray-1': 'var(--surface-2)',
  '--mantine-color-gray-2': 'var(--line)',
  '--mantine-color-gray-3': 'var(--line)',
  '--mantine-color-gray-4': 'var(--line-strong)',
  // Words of subtle buttons take the palest grey on dark, which is a surface here.
  '--mantine-color-gray-light-color': 'var(--text)',
  '--mantine-color-dark-4': 'var(--line)',
  '--mantine-color-dark-5': 'var(--surface-2)',
  '--mantine-color-dark-6': 'var(--surface-2)',
  '--mantine-color-dark-7': 'var(--bg)',
  '--mantine-color-dark-8': 'var(--bg)',
});
