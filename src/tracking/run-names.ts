import type { Random } from '../ports/system.ts';

/** A name that people remember, for a run that was given none. @example nameRun(random) === 'crusty-miche-417' */
export function nameRun(random: Random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random.next() * words.length)]!;
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${Math.floor(random.next() * 1_000)}`;
}

const ADJECTIVES =
  'able amber bold brave bright brisk calm clean clever cool crisp crusty deft eager early fair fast fine firm fleet fresh gentle glad golden grand handy happy hardy honest jolly keen kind lively lucky mellow merry mild neat nimble noble patient placid plain proud quick quiet rare ready rich robust round serene sharp shiny silent simple sleek smooth snug solid sound spry steady still stout sunny supple sure swift tidy toasty trim true vivid warm whole wise witty'.split(
    ' ',
  );

const NOUNS =
  'bagel baguette bannock barley batard beacon bear bird boule bran brioche bun chaff ciabatta cob crane crumb crust dough durum einkorn elk emmer ferment finch flour focaccia fox grain grist hare hawk hearth heron injera khorasan kiln lark leaven loaf lynx malt marten meal miche mill millet moth naan oat otter oven owl peel pita poolish pretzel proof pumpernickel quinoa raven roll rye scone seal seed shrike sieve sorghum sparrow spelt stork swan teff tern toast trout vole wheat whisk wren yeast'.split(
    ' ',
  );
