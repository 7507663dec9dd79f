/**
 * Looks into the bytes of JSON: how deep they are nested, before JSON.parse sees them, and afterwards
 * where the values of a batch stand, so that they are stored as they came and no number loses a digit.
 */

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Without the white space of JSON around it: [start, end). */
export function trimmed(bytes: Buffer, start = 0, end = bytes.length): Buffer {
  let from = start
  let to = end
  while (from < to && isSpace(bytes[from]!)) from++
  while (to > from && isSpace(bytes[to - 1]!)) to--
  return bytes.subarray(from, to)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** How many arrays and objects stand within each other at most; of what is no JSON, some number. */
export function depthOf(bytes: Buffer): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === quote) {
      at = stringEnd(bytes, at) - 1
    } else if (byte === openBrace || byte === openBracket) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (byte === closeBrace || byte === closeBracket) depth--
  }
  return deepest
}

/**
 * The bytes of `messages[i].value` of a batch; undefined where a message has none. As in JSON.parse,
 * the last of several fields of one name counts.
 */
export function batchValues(bytes: Buffer): (Buffer | undefined)[] {
  let messages: Buffer | undefined
  forEachField(trimmed(bytes), (name, value) => {
    if (name === 'messages') messages = value
  })
  const values: (Buffer | undefined)[] = []
  if (messages === undefined) return values
  forEachElement(messages, (message) => {
    let found: Buffer | undefined
    forEachField(message, (name, value) => {
      if (name === 'value') found = value
    })
    values.push(found)
  })
  return values
}

/** `object` starts with its brace. */
function forEachField(object: Buffer, visit: (name: string, value: Buffer) => void): void {
  let at = skipSpace(object, 1)
  while (object[at] === quote) {
    const nameEnd = stringEnd(object, at)
    const name = nameOf(object, at, nameEnd)
    // Behind the name stands its colon.
    const start = skipSpace(object, skipSpace(object, nameEnd) + 1)
    const end = valueEnd(object, start)
    visit(name, object.subarray(start, end))
    at = skipSpace(object, end)
    if (object[at] !== comma) return
    at = skipSpace(object, at + 1)
  }
}

/** `array` starts with its bracket. */
function forEachElement(array: Buffer, visit: (element: Buffer) => void): void {
  let at = skipSpace(array, 1)
  if (array[at] === closeBracket) return
  while (at < array.length) {
    const end = valueEnd(array, at)
    visit(array.subarray(at, end))
    at = skipSpace(array, end)
    if (array[at] !== comma) return
    at = skipSpace(array, at + 1)
  }
}

function nameOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  return at
}

/** Behind the string that starts at the quotation mark at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === backslash) at++
    else if (byte === quote) return at + 1
  }
  return bytes.length
}

/** Behind the value that starts at `start`. */
function valueEnd(bytes: Buffer, start: number): number {
  const first = bytes[start]!
  if (first === quote) return stringEnd(bytes, start)
  let at = start
  if (first !== openBrace && first !== openBracket) {
    while (at < bytes.length && !endsScalar(bytes[at]!)) at++
    return at
  }
  for (let depth = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === quote) at = stringEnd(bytes, at) - 1
    else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth === 0) return at + 1
    }
  }
  return bytes.length
}

function endsScalar(byte: number): boolean {
  return byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte)
}
