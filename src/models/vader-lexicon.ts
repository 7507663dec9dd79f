/**
 * What VADER knows: the valence of words and emoticons, what emoji say in words, and the short lists
 * of its rules. Words and emoji are in vader-lexicon.json, made by scripts/fixtures/vader-lexicon.py
 * from vaderSentiment 3.3.2 (MIT, C.J. Hutto); read when it is first used.
 */
import { readFileSync } from 'node:fs'

export interface VaderLexicon {
  readonly words: ReadonlyMap<string, number>
  /** By code point. */
  readonly emoji: ReadonlyMap<string, string>
}

let known: VaderLexicon | undefined

export function vaderLexicon(): VaderLexicon {
  known ??= load()
  return known
}

function load(): VaderLexicon {
  const file = new URL('./vader-lexicon.json', import.meta.url)
  const data = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly words: { readonly [valence: string]: string }
    readonly emoji: { readonly [emoji: string]: string }
  }
  const words = new Map<string, number>()
  for (const [valence, group] of Object.entries(data.words)) {
    for (const word of group.split(' ')) words.set(word, Number(valence))
  }
  return { words, emoji: new Map(Object.entries(data.emoji)) }
}

const step = 0.293

const wordsOf = (text: string) => text.trim().split(/\s+/)

const boosters = wordsOf(`
  absolutely amazingly awfully completely considerable considerably decidedly deeply effing enormous
  enormously entirely especially exceptional exceptionally extreme extremely fabulously flipping
  flippin frackin fracking fricking frickin frigging friggin fully fuckin fucking fuggin fugging
  greatly hella highly hugely incredible incredibly intensely major majorly more most particularly
  purely quite really remarkably so substantially thoroughly total totally tremendous tremendously
  uber unbelievably unusually utter utterly very`)

const dampeners = wordsOf(`
  almost barely hardly kinda kindof kind-of less little marginal marginally occasional occasionally
  partly scarce scarcely slight slightly somewhat sorta sortof sort-of`)

/** What raises or lowers the valence of a word behind it. */
export const boosts: ReadonlyMap<string, number> = new Map([
  ...boosters.map((word) => [word, step] as const),
  ...[...dampeners, 'just enough', 'kind of', 'sort of'].map((word) => [word, -step] as const),
])

/** Whatever has `n't` in it negates as well. */
export const negations: ReadonlySet<string> = new Set(
  wordsOf(`
    aint arent cannot cant couldnt darent didnt doesnt ain't aren't can't couldn't daren't didn't
    doesn't dont hadnt hasnt havent isnt mightnt mustnt neither don't hadn't hasn't haven't isn't
    mightn't mustn't neednt needn't never none nope nor not nothing nowhere oughtnt shant shouldnt
    uhuh wasnt werent oughtn't shan't shouldn't uh-uh wasn't weren't without wont wouldnt won't
    wouldn't rarely seldom despite`),
)

/** Phrases with a word of the lexicon in them that mean something else. */
export const phrases: ReadonlyMap<string, number> = new Map([
  ['the shit', 3],
  ['the bomb', 3],
  ['bad ass', 1.5],
  ['badass', 1.5],
  ['bus stop', 0],
  ['yeah right', -2],
  ['kiss of death', -1.5],
  ['to die for', 3],
  ['beating heart', 3.5],
])
