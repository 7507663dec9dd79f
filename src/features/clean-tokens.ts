/**
 * Cleaning steps that put one word in the place of all things of a kind: addresses, names, numbers.
 * The words begin and end in two underscores, so that every tokeniser keeps them and no text has them.
 */
import { replaceByWords } from './clean-replace.ts'

/** The last character is none of those with which a sentence goes on. */
const url =
  /(?<![\p{L}\p{N}_])(?:(?:https?|ftp):\/\/|www\.)[^\s<>"]{0,4096}[^\s<>".,;:!?'’”…()[\]{}*]/giu

/** Lengths as RFC 5321 bounds them. */
const email =
  /(?<![\p{L}\p{N}_])[\p{L}\p{N}_][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}(?![\p{L}\p{N}_@])/gu

/** Twitter's `@name`, Bluesky's `@name.example.com`, Mastodon's `@name@example.com`. */
const mention =
  /(?<![\p{L}\p{N}_@./])@[\p{L}\p{N}_]{1,256}(?:@[A-Za-z0-9-]{1,63})?(?:\.[a-z0-9-]{1,63}){0,8}(?![\p{L}\p{N}_@])/gu

const hashtag = /(?<![\p{L}\p{N}_&/])[#＃](?=[\p{N}_]{0,256}\p{L})[\p{L}\p{M}\p{N}_#＃]{1,1000}/gu
const wordsInTag =
  /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})|_+/gu

/** Digits, and what stands between those of one quantity, date or time. */
const number = /(?<![\p{L}\p{N}_])\p{Nd}[\p{Nd}.,:/]{0,1000}(?<=\p{Nd})(?![\p{L}\p{N}_])/gu

export function replaceUrls(text: string): string {
  return replaceByWords(text, url, () => '__url__')
}

export function replaceEmails(text: string): string {
  if (!text.includes('@')) return text
  return replaceByWords(text, email, () => '__email__')
}

export function replaceMentions(text: string): string {
  return replaceByWords(text, mention, () => '__mention__')
}

/** The tag as one word, and the words of which it is made. */
export function unpackHashtags(text: string): string {
  return replaceByWords(text, hashtag, (match) => {
    const tags = match.split(/[#＃]+/).filter((body) => body !== '')
    return tags.map(unpackHashtag).join(' ')
  })
}

/** One without a letter is none. */
function unpackHashtag(body: string): string {
  if (!/\p{L}/u.test(body)) return `#${body}`
  return `hashtag_${body.toLowerCase()} ${body.replace(wordsInTag, ' ').trim()}`
}

export function replaceNumbers(text: string): string {
  return replaceByWords(text, number, () => '__number__')
}
