/**
 * The terms of a text as strings, by scikit-learn's three analysers: the plain definition that says
 * what a term is. Use it to explain a prediction and to check the tables of the hot path.
 */
import { type StopWords, stopWordList } from './stop-words.ts'
import { tokenise, wordNgrams } from './tokenise.ts'

/**
 * What terms are made of: 'word', n-grams of words; 'char', n-grams of characters; 'char_wb', n-grams
 * of characters within words, each word with a space before and behind it.
 */
export type Analyzer = 'word' | 'char' | 'char_wb'

export interface AnalyseOptions {
  readonly analyzer: Analyzer
  readonly lowercase: boolean
  /** Shortest and longest n-gram, in words or in code points. */
  readonly ngramRange: readonly [number, number]
  /** Left out before n-grams of words are made; without meaning for characters. */
  readonly stopWords: StopWords
}

/** What Python's `\s` and `str.split()` take for white space; JavaScript's `\s` differs. */
const pythonSpace =
  '\\t-\\r\\u001c- \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const twoSpaces = new RegExp(`[${pythonSpace}]{2,}`, 'g')
const notSpaces = new RegExp(`[^${pythonSpace}]+`, 'g')

/** The terms of a text, as often as they stand in it, in scikit-learn's order. */
export function analyse(text: string, options: AnalyseOptions): string[] {
  const [shortest, longest] = options.ngramRange
  if (options.analyzer === 'word') {
    const stopWords = new Set(stopWordList(options.stopWords))
    const words = tokenise(text, options)
    const kept = stopWords.size === 0 ? words : words.filter((word) => !stopWords.has(word))
    return wordNgrams(kept, options.ngramRange)
  }
  const given = options.lowercase ? text.toLowerCase() : text
  return options.analyzer === 'char'
    ? characterNgrams(given.replace(twoSpaces, ' '), shortest, longest)
    : (given.match(notSpaces) ?? []).flatMap((word) => wordBoundNgrams(word, shortest, longest))
}

function characterNgrams(text: string, shortest: number, longest: number): string[] {
  const characters = [...text]
  const grams: string[] = []
  for (let size = shortest; size <= Math.min(longest, characters.length); size++) {
    for (let start = 0; start + size <= characters.length; start++) {
      grams.push(characters.slice(start, start + size).join(''))
    }
  }
  return grams
}

/** A word shorter than n stands once, whole, and longer n-grams are not tried. */
function wordBoundNgrams(word: string, shortest: number, longest: number): string[] {
  const padded = [' ', ...word, ' ']
  const grams: string[] = []
  for (let size = shortest; size <= longest; size++) {
    grams.push(padded.slice(0, size).join(''))
    for (let start = 1; start + size <= padded.length; start++) {
      grams.push(padded.slice(start, start + size).join(''))
    }
    if (size >= padded.length) break
  }
  return grams
}
