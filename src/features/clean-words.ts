/** Cleaning steps that keep what a word tokeniser would lose: emphasis, and what is negated. */
import { replaceByWords } from './clean-replace.ts'

const threeLetters = /(\p{L})\1\1/iu
/** A longer one is left alone. */
const word = /(?<![\p{L}\p{M}\p{N}_])[\p{L}\p{M}\p{N}_]{1,1000}(?![\p{L}\p{M}\p{N}_])/gu

/**
 * Three or more of the same letter become two, and a word says so: `soooo` is `soo __elongated__`, so
 * that all lengths of it are one feature and the emphasis another.
 */
export function shortenElongations(text: string): string {
  if (!threeLetters.test(text)) return text
  return replaceByWords(text, word, (match) => {
    const short = shorten(match)
    return short.length === match.length ? '' : `${short} __elongated__`
  })
}

function shorten(given: string): string {
  if (!threeLetters.test(given)) return given
  const kept: string[] = []
  let last = ''
  let run = 0
  for (const character of given) {
    const folded = character.toLowerCase()
    run = folded === last ? run + 1 : 1
    last = folded
    if (run < 3 || !isLetter.test(character)) kept.push(character)
  }
  return kept.join('')
}

const isLetter = /^\p{L}/u
const marks = /[!?！？]{1,1000}|[.]{3,1000}|…{1,1000}/gu

/** Exclamation and question marks become words, runs of them others; so do three dots. */
export function nameMarks(text: string): string {
  return replaceByWords(text, marks, (match) => {
    if (match[0] === '.' || match[0] === '…') return '__ellipsis__'
    const asks = /[?？]/.test(match)
    if (asks && /[!！]/.test(match)) return '__interrobang__'
    const name = asks ? 'question' : 'exclamation'
    return match.length === 1 ? `__${name}__` : `__${name}s__`
  })
}

const clausePart =
  /(?<![\p{L}\p{M}\p{N}_])[\p{L}\p{N}_][\p{L}\p{M}\p{N}_'’]{0,1000}|[.:;!?]{1,1000}(?![\p{L}\p{N}_])|…|\n[^\S\n]{0,1000}\n/gu
const clauseMarks = new Set(
  'exclamation exclamations question questions interrobang ellipsis'
    .split(' ')
    .map((name) => `__${name}__`),
)
const negations = new Set(
  (
    'no not never none nobody nothing nowhere noone neither nor cannot without aint arent cant couldnt ' +
    'didnt doesnt dont hadnt hasnt havent isnt mustnt neednt shouldnt wasnt werent wont wouldnt'
  ).split(' '),
)
const longestNegation = 12

/**
 * Words between an English negation and the end of its clause get the prefix `not_`, as Das and Chen
 * (2001) and Pang, Lee and Vaithyanathan (2002) did; clauses end as in NLTK's `mark_negation`.
 */
export function markNegations(text: string): string {
  let negated = false
  return text.replace(clausePart, (part) => {
    if (!startsWord.test(part) || clauseMarks.has(part)) {
      negated = false
      return part
    }
    if (isNegation(part)) {
      negated = true
      return part
    }
    return negated && !part.startsWith('__') && !part.startsWith('not_') ? `not_${part}` : part
  })
}

const startsWord = /^[\p{L}\p{N}_]/u

function isNegation(given: string): boolean {
  if (given.length > longestNegation) return false
  return negations.has(given.toLowerCase().replace(/['’]/g, ''))
}
