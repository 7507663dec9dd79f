/**
 * Where a record ends. Lines end at a newline; a delimited record may hold newlines in quotes
 * (RFC 4180). Works on bytes, so it can stop and go on anywhere, and one malformed record does not
 * carry its neighbours away. What a frame says of the record it found last is in its fields.
 */
const newline = 0x0a
const carriageReturn = 0x0d
const quote = 0x22

export interface Frame {
  /** Exclusive end of the record, without its line ending. */
  end: number
  /** Start of the next record. */
  next: number
  /** Newlines passed over, the record's own ending among them. */
  newlines: number
  /** True when a field of it is in quotes. */
  quoted: boolean
  /** Why it cannot be a record, or empty. */
  malformed: string
  /**
   * Finds the record that starts at `start`. False when its end is not within `buffer[start, limit)`
   * yet; with `final` there is nothing behind `limit`, so the rest is a record.
   */
  find(buffer: Buffer, start: number, limit: number, final: boolean): boolean
}

export class LineFrame implements Frame {
  end = 0
  next = 0
  newlines = 0
  quoted = false
  malformed = ''

  find(buffer: Buffer, start: number, limit: number, final: boolean): boolean {
    const at = buffer.indexOf(newline, start)
    if (at >= 0 && at < limit) {
      this.end = at > start && buffer[at - 1] === carriageReturn ? at - 1 : at
      this.next = at + 1
      this.newlines = 1
      return true
    }
    if (!final || start >= limit) return false
    this.end = buffer[limit - 1] === carriageReturn ? limit - 1 : limit
    this.next = limit
    this.newlines = 0
    return true
  }
}

export class QuotedFrame implements Frame {
  end = 0
  next = 0
  newlines = 0
  quoted = false
  malformed = ''
  readonly #delimiter: number
  readonly #line = new LineFrame()

  constructor(delimiter: number) {
    this.#delimiter = delimiter
  }

  find(buffer: Buffer, start: number, limit: number, final: boolean): boolean {
    this.quoted = false
    this.malformed = ''
    this.newlines = 0
    const ending = this.#scan(buffer, start, limit)
    if (ending === 'inside quotes') return final && this.#firstLine(buffer, start, limit)
    if (ending === undefined && (!final || start >= limit)) return false
    const at = ending ?? limit
    this.end = at > start && buffer[at - 1] === carriageReturn ? at - 1 : at
    this.next = ending === undefined ? limit : at + 1
    if (ending !== undefined) this.newlines++
    return true
  }

  /** The place of the newline that ends the record, if it is there. */
  #scan(buffer: Buffer, start: number, limit: number) {
    let fieldStart = true
    for (let at = start; at < limit; at++) {
      const byte = buffer[at]!
      if (byte === newline) return at
      if (byte === quote && fieldStart) {
        this.quoted = true
        const close = this.#closing(buffer, at + 1, limit)
        if (close < 0) return 'inside quotes' as const
        at = close
        if (close + 1 < limit && !this.#endsField(buffer[close + 1]!)) {
          this.malformed = 'there is text behind a closing quote'
        }
      }
      fieldStart = byte === this.#delimiter
    }
    return undefined
  }

  /** The place of the closing quote, past doubled ones; -1 when there is none. */
  #closing(buffer: Buffer, from: number, limit: number): number {
    let newlines = 0
    for (let at = from; at < limit; at++) {
      const byte = buffer[at]
      if (byte === newline) newlines++
      if (byte !== quote) continue
      if (at + 1 >= limit || buffer[at + 1] !== quote) {
        this.newlines += newlines
        return at
      }
      at++
    }
    return -1
  }

  #endsField(byte: number): boolean {
    return byte === this.#delimiter || byte === newline || byte === carriageReturn
  }

  /** A quote that never closes spoils its own line only. */
  #firstLine(buffer: Buffer, start: number, limit: number): boolean {
    this.#line.find(buffer, start, limit, true)
    this.end = this.#line.end
    this.next = this.#line.next
    this.newlines = this.#line.newlines
    this.malformed = 'a quote is opened and never closed'
    return true
  }
}
