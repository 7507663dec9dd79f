/** Cleaning steps for emoji and for faces made of punctuation, which word tokenisers drop. */
import { replaceByWords } from './clean-replace.ts'

/**
 * One emoji, after the pattern of UTS #51, 1.4.9: flags, keycaps, and pictures with a skin tone, tags or a
 * variation selector. Letters and the signs of copyright and trade mark are emoji only where a
 * variation selector says so.
 */
const single = [
  '\\p{RI}\\p{RI}',
  '[0-9#*]\\ufe0f?\\u20e3',
  '(?![0-9#*])(?![\\p{L}\\p{N}©®™](?!\\ufe0f))\\p{Emoji}' +
    '(?:\\p{EMod}|[\\ufe0e\\ufe0f])?(?:[\\u{e0020}-\\u{e007e}]{1,30}\\u{e007f})?',
].join('|')
/** Joined ones are one: no emoji in use has more than four parts. */
const emoji = new RegExp(`(?:${single})(?:\\u200d(?:${single})){0,9}`, 'gu')

/** Each emoji becomes the word `emoji_` and its code points, without variation selectors. */
export function nameEmoji(text: string): string {
  return replaceByWords(text, emoji, (match) => {
    const names = ['emoji']
    for (const character of match) {
      const codePoint = character.codePointAt(0)!
      if (codePoint !== 0xfe0e && codePoint !== 0xfe0f) names.push(codePoint.toString(16))
    }
    return names.join('_')
  })
}

const notAfterWord = '(?<![\\p{L}\\p{N}_])'
const notBeforeWord = '(?![\\p{L}\\p{N}_])'
const nose = '[-o^~]?'

/** By class of face: the ways to write it. The first that fits counts. */
const faces: Record<string, readonly string[]> = {
  broken_heart: ['<\\/3'],
  heart: [`<3{1,99}(?!\\p{N})`],
  angry: ['>[:=]-?[(\\[]{1,99}'],
  cry: [`[:=]['’]${nose}[(\\[]{1,99}`, ';_{1,99};', `${notAfterWord}T_{1,99}T${notBeforeWord}`],
  laugh: [
    `${notAfterWord}[:=;]-?D{1,99}${notBeforeWord}`,
    `${notAfterWord}[xX]D{1,99}${notBeforeWord}`,
    `[:=]['’]${nose}[)\\]]{1,99}`,
  ],
  kiss: [`${notAfterWord}[:=;]${nose}\\*{1,99}`],
  tongue: [`${notAfterWord}[:=;xX][-^~]?[pP]${notBeforeWord}`],
  surprise: [
    `${notAfterWord}[:=]-?[oO0]${notBeforeWord}`,
    `${notAfterWord}(?:o_{1,99}O|O_{1,99}o|O_{1,99}O|o_{1,99}o)${notBeforeWord}`,
  ],
  skeptical: [`${notAfterWord}[:=]-?[\\/\\\\|](?![\\/\\\\\\p{L}\\p{N}])`, '-_{1,99}-'],
  wink: [`;${nose}[)\\]]{1,99}`],
  smile: [
    `:${nose}[)\\]]{1,99}`,
    `${notAfterWord}=${nose}[)\\]]{1,99}`,
    `\\([-o^]?:${notBeforeWord}`,
    '\\^_{0,99}\\^',
  ],
  sad: [`:${nose}[(\\[]{1,99}`, `${notAfterWord}=${nose}[(\\[]{1,99}`, '\\)-:'],
}

const emoticon = new RegExp(
  Object.values(faces)
    .map((ways) => `(${ways.join('|')})`)
    .join('|'),
  'gu',
)

const words = Object.keys(faces).map((name) => `__${name}__`)

/** Each emoticon becomes the word of its class, such as `__smile__`. */
export function nameEmoticons(text: string): string {
  return replaceByWords(text, emoticon, (_match, groups) => {
    return words[groups.findIndex((group) => group !== undefined)]!
  })
}
