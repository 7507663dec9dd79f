/**
 * Cleaning: named steps from text to text that come before a vectoriser. A list of names is plain data
 * and part of a model's version, so training and serving cannot differ. Nothing is cleaned unless asked
 * for. Steps run in the given order, and the order matters: the record lists them in one that works.
 */
import { decodeHTML } from 'entities'
import { fail, suggestion } from '../core/errors.ts'
import { nameEmoji, nameEmoticons } from './clean-emoji.ts'
import { withoutTags } from './clean-html.ts'
import { unifyLineEndings, withoutFooter, withoutHeaders, withoutQuotes } from './clean-posts.ts'
import {
  replaceEmails,
  replaceMentions,
  replaceNumbers,
  replaceUrls,
  unpackHashtags,
} from './clean-tokens.ts'
import { markNegations, nameMarks, shortenElongations } from './clean-words.ts'

export interface Cleaning {
  /** What it does, on one line. */
  readonly summary: string
  readonly example: { readonly from: string; readonly to: string }
  /** The same text for the same text, in time linear in its length. */
  readonly clean: (text: string) => string
}

const declare = <const Steps extends Record<string, Cleaning>>(steps: Steps) => steps

/** Every cleaning step, by its name. */
export const cleaningSteps = declare({
  lineEndings: {
    summary: 'Ends all lines in \\n, as the steps for headers, footers and quotes need it.',
    example: { from: 'one\r\ntwo\rthree', to: 'one\ntwo\nthree' },
    clean: unifyLineEndings,
  },
  headers: {
    summary: 'Drops all up to the first blank line (scikit-learn: strip_newsgroup_header).',
    example: { from: 'From: ann@example.com\nSubject: keys\n\nFound them.', to: 'Found them.' },
    clean: withoutHeaders,
  },
  footers: {
    summary:
      'Drops what follows the last blank or hyphen line (scikit-learn: strip_newsgroup_footer).',
    example: { from: 'Found them.\n--\nAnn, Example Inc.', to: 'Found them.' },
    clean: withoutFooter,
  },
  quotes: {
    summary: 'Drops quoted lines and who wrote them (scikit-learn: strip_newsgroup_quoting).',
    example: { from: 'Ann wrote:\n> Where are they?\nHere.', to: 'Here.' },
    clean: withoutQuotes,
  },
  htmlTags: {
    summary: 'Drops HTML tags, comments, scripts and styles.',
    example: { from: '<p>Now <b>free</b>!</p> a < b <3', to: 'Now free ! a < b <3' },
    clean: withoutTags,
  },
  htmlEntities: {
    summary: 'Turns HTML entities into the characters for which they stand.',
    example: { from: 'Q&amp;A &lt;3 caf&eacute; &#128512;', to: 'Q&A <3 café 😀' },
    clean: (text: string) => decodeHTML(text),
  },
  urls: {
    summary: 'Puts __url__ in the place of web addresses.',
    example: { from: 'see https://example.com/a?b=1, now', to: 'see __url__ , now' },
    clean: replaceUrls,
  },
  emails: {
    summary: 'Puts __email__ in the place of mail addresses.',
    example: { from: 'write to ann@example.com.', to: 'write to __email__ .' },
    clean: replaceEmails,
  },
  mentions: {
    summary: 'Puts __mention__ in the place of @names.',
    example: { from: '@ann: hi (@bob.example.com)', to: '__mention__ : hi ( __mention__ )' },
    clean: replaceMentions,
  },
  hashtags: {
    summary: 'Turns #tags into one word for the tag, and its words.',
    example: {
      from: 'join #BlackLivesMatter',
      to: 'join hashtag_blacklivesmatter Black Lives Matter',
    },
    clean: unpackHashtags,
  },
  emoji: {
    summary: 'Turns each emoji, with its skin tone and all it is joined of, into one word.',
    example: { from: 'so good😀👍🏽', to: 'so good emoji_1f600 emoji_1f44d_1f3fd' },
    clean: nameEmoji,
  },
  emoticons: {
    summary: 'Turns faces of punctuation into words such as __smile__, __sad__ and __heart__.',
    example: { from: 'back home :-) miss you :((', to: 'back home __smile__ miss you __sad__' },
    clean: nameEmoticons,
  },
  numbers: {
    summary: 'Puts __number__ in the place of numbers, dates and times in digits.',
    example: {
      from: '$1,000.50 at 10:30, mp3',
      to: '$ __number__ at __number__ , mp3',
    },
    clean: replaceNumbers,
  },
  elongations: {
    summary: 'Shortens three or more of a letter to two, and adds __elongated__.',
    example: { from: 'sooooo good', to: 'soo __elongated__ good' },
    clean: shortenElongations,
  },
  negations: {
    summary: 'Puts not_ before the words between an English negation and the end of its clause.',
    example: { from: "I don't like it. Go", to: "I don't not_like not_it. Go" },
    clean: markNegations,
  },
  punctuation: {
    summary: 'Turns ! and ?, runs of them, and ... into words.',
    example: {
      from: 'what?! no... go!!!',
      to: 'what __interrobang__ no __ellipsis__ go __exclamations__',
    },
    clean: nameMarks,
  },
})

export type CleaningStep = keyof typeof cleaningSteps

/** The names of all steps, in an order that works: each before what would hide its matches. */
export const cleaningStepNames = Object.keys(cleaningSteps) as readonly CleaningStep[]

/** The list, known to be of steps. Throws `OPTIONS_INVALID`, with the nearest name. */
export function checkCleaning(steps: readonly string[]): readonly CleaningStep[] {
  if (!Array.isArray(steps)) {
    throw fail(
      'OPTIONS_INVALID',
      `cleaning: given ${JSON.stringify(steps)}; give a list of steps, such as ['urls', 'emoji']`,
    )
  }
  return steps.map((step: unknown) => {
    if (isCleaningStep(step)) return step
    const hint = suggestion(String(step), cleaningStepNames)
    throw fail(
      'OPTIONS_INVALID',
      `cleaning: unknown step '${step}'; ${hint === '' ? '' : `${hint} `}known: ${cleaningStepNames.join(', ')}`,
    )
  })
}

/** One function that does all steps, in their order. Throws `OPTIONS_INVALID`. */
export function cleaner(steps: readonly CleaningStep[]): (text: string) => string {
  const cleanings = checkCleaning(steps).map((step) => cleaningSteps[step].clean)
  return (text) => {
    let cleaned = text
    for (const clean of cleanings) cleaned = clean(cleaned)
    return cleaned
  }
}

function isCleaningStep(step: unknown): step is CleaningStep {
  return typeof step === 'string' && Object.hasOwn(cleaningSteps, step)
}
