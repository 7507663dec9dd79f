/**
 * Sentiment without training: VADER's lexicon and rules (Hutto and Gilbert, "VADER: A Parsimonious
 * Rule-based Model for Sentiment Analysis of Social Media Text", ICWSM 2014), for short English texts.
 * It gives what vaderSentiment 3.3.2 (Python) gives, its peculiarities included.
 */
import { checkTexts } from './compiled-scorer.ts'
import type { Classification, Model } from './model.ts'
import { boosts, negations, phrases, type VaderLexicon, vaderLexicon } from './vader-lexicon.ts'

export type SentimentLabel = 'negative' | 'neutral' | 'positive'

export interface Sentiment extends Classification<SentimentLabel> {
  /** From -1 (most negative) to 1 (most positive), with four decimals. */
  readonly compound: number
}

/** The bounds that VADER's authors advise. */
const decided = 0.05
const negation = -0.74
const shouting = 0.733
/** How far two words, then three, count. */
const damping = [1, 0.95, 0.9]

/** White space as Python's `str.split` has it: four separators of ASCII are, too. */
const separators = String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f)
const spaces = new RegExp(`[\\p{White_Space}${separators}]+`, 'u')
/** ASCII's, by code. */
const isPunctuation = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[!-/:-@[-`{-~]/.test(String.fromCharCode(code))),
)
const upper = /\p{Uppercase}/u
const notUpper = /\p{Lowercase}|\p{Lt}/u

/**
 * A model that says whether an English text is negative, neutral or positive, by VADER's rules.
 * `compound` is VADER's; from 0.05 on a text is positive, from -0.05 down negative. `score` is how
 * decided that is, no probability: the size of `compound`, and for a neutral text what it lacks of 1.
 * Scoring throws `INPUT_INVALID`, which names what is not a text.
 *
 * @example
 * .predict('sentiment', model('vader', lexiconSentiment()), { input: (post) => post.text })
 */
export function lexiconSentiment(): Model<string, Sentiment> {
  const lexicon = vaderLexicon()
  return {
    predict(inputs) {
      checkTexts(inputs)
      return inputs.map((text) => sentimentOf(compoundOf(text, lexicon)))
    },
  }
}

function sentimentOf(compound: number): Sentiment {
  const size = Math.abs(compound)
  if (size < decided) return { label: 'neutral', score: 1 - size, compound }
  return { label: compound > 0 ? 'positive' : 'negative', score: size, compound }
}

function compoundOf(raw: string, lexicon: VaderLexicon): number {
  const text = withoutEmoji(raw, lexicon)
  const tokens = text.split(spaces).filter((token) => token !== '')
  if (tokens.length === 0) return 0
  const words = new Words(tokens.map(withoutPunctuation), lexicon)
  const valences = words.lower.map((_, at) => words.valence(at))
  halveBeforeBut(valences, words.lower.indexOf('but'))
  let sum = valences.reduce((total, valence) => total + valence, 0)
  if (sum !== 0) sum += Math.sign(sum) * emphasisOf(text)
  return Number((sum / Math.sqrt(sum * sum + 15)).toFixed(4)) + 0
}

/** Emoji as words: what they show. */
function withoutEmoji(text: string, { emoji }: VaderLexicon): string {
  let out = ''
  let isAfterSpace = true
  for (const char of text) {
    const words = emoji.get(char)
    out += words === undefined ? char : `${isAfterSpace ? '' : ' '}${words}`
    isAfterSpace = words === undefined && char === ' '
  }
  return out
}

/** What is left with two characters or less was an emoticon: it stays as it is. */
function withoutPunctuation(token: string): string {
  let start = 0
  let end = token.length
  while (start < end && isPunctuation[token.charCodeAt(start)] === 1) start++
  while (end > start && isPunctuation[token.charCodeAt(end - 1)] === 1) end--
  const stripped = token.slice(start, end)
  return stripped.length <= 4 && [...stripped].length <= 2 ? token : stripped
}

/** Exclamation marks, up to four, and question marks, from two on. */
function emphasisOf(text: string): number {
  const questions = text.split('?').length - 1
  const asked = questions > 3 ? 0.96 : questions > 1 ? questions * 0.18 : 0
  return Math.min(4, text.split('!').length - 1) * 0.292 + asked
}

/**
 * What is before "but" counts half, what is behind it half as much again. As in the original, a
 * valence that comes several times is looked up by its value, and found where it comes first.
 */
function halveBeforeBut(valences: number[], but: number): void {
  if (but < 0) return
  for (let at = 0; at < valences.length; at++) {
    const valence = valences[at]!
    const first = valences.indexOf(valence)
    if (first < but) valences[first] = valence * 0.5
    else if (first > but) valences[first] = valence * 1.5
  }
}

const isUpper = (word: string) => upper.test(word) && !notUpper.test(word)
const isNegation = (word: string) => negations.has(word) || word.includes("n't")
const isSoOrThis = (word: string) => word === 'so' || word === 'this'

/** The words of one text, each seen with those around it. */
class Words {
  readonly lower: readonly string[]
  readonly #lexicon: ReadonlyMap<string, number>
  readonly #isUpper: readonly boolean[]
  /** Some words are in capitals, and not all: only then it is shouting. */
  readonly #isShouted: boolean

  constructor(words: readonly string[], lexicon: VaderLexicon) {
    this.lower = words.map((word) => word.toLowerCase())
    this.#lexicon = lexicon.words
    this.#isUpper = words.map(isUpper)
    this.#isShouted = this.#isUpper.includes(true) && this.#isUpper.includes(false)
  }

  valence(at: number): number {
    const { lower } = this
    const word = lower[at]!
    const known = this.#lexicon.get(word)
    if (known === undefined || boosts.has(word)) return 0
    if (word === 'kind' && lower[at + 1] === 'of') return 0
    let valence = this.#withNo(at, known)
    if (this.#isUpper[at] && this.#isShouted) valence += valence > 0 ? shouting : -shouting
    for (let before = 0; before < 3 && before < at; before++) {
      const other = at - before - 1
      if (this.#lexicon.has(lower[other]!)) continue
      valence += this.#boost(other, valence) * damping[before]!
      valence = this.#negate(at, before, valence)
      if (before === 2) valence = this.#phrase(at, valence)
    }
    return this.#isLeast(at) ? valence * negation : valence
  }

  /** "no" before a word of the lexicon negates that one, and says nothing itself. */
  #withNo(at: number, known: number): number {
    const { lower } = this
    const isNegated =
      lower[at - 1] === 'no' ||
      lower[at - 2] === 'no' ||
      (lower[at - 3] === 'no' && (lower[at - 1] === 'or' || lower[at - 1] === 'nor'))
    if (isNegated) return known * negation
    return lower[at] === 'no' && this.#lexicon.has(lower[at + 1] ?? '') ? 0 : known
  }

  #boost(at: number, valence: number): number {
    const boost = boosts.get(this.lower[at]!)
    if (boost === undefined) return 0
    const signed = valence < 0 ? -boost : boost
    if (!this.#isUpper[at] || !this.#isShouted) return signed
    return signed + (valence > 0 ? shouting : -shouting)
  }

  #negate(at: number, before: number, valence: number): number {
    const { lower } = this
    const one = lower[at - 1]!
    const two = lower[at - 2]!
    const other = lower[at - before - 1]!
    if (before === 1) {
      if (two === 'never' && isSoOrThis(one)) return valence * 1.25
      if (two === 'without' && one === 'doubt') return valence
    } else if (before === 2) {
      if ((other === 'never' && isSoOrThis(two)) || isSoOrThis(one)) return valence * 1.25
      if (other === 'without' && (two === 'doubt' || one === 'doubt')) return valence
    }
    return isNegation(other) ? valence * negation : valence
  }

  /** Phrases around the word, with three words before it. */
  #phrase(at: number, before: number): number {
    const { lower } = this
    const [three, two, one, zero, next, last] = lower.slice(at - 3, at + 3)
    const behind = [`${two} ${one}`, `${three} ${two} ${one}`, `${three} ${two}`]
    const found = [`${one} ${zero}`, `${two} ${one} ${zero}`, ...behind].find((phrase) =>
      phrases.has(phrase),
    )
    let valence = found === undefined ? before : phrases.get(found)!
    valence = phrases.get(`${zero} ${next}`) ?? valence
    valence = phrases.get(`${zero} ${next} ${last}`) ?? valence
    for (const phrase of [behind[1]!, behind[2]!, behind[0]!]) valence += boosts.get(phrase) ?? 0
    return valence
  }

  #isLeast(at: number): boolean {
    const { lower } = this
    if (lower[at - 1] !== 'least' || this.#lexicon.has('least')) return false
    return lower[at - 2] !== 'at' && lower[at - 2] !== 'very'
  }
}
