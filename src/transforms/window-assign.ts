/**
 * Which windows a message's time is in, for windows that are the same for all keys, and when a
 * window is closed. Nothing is allocated a message; times before 1970 are right; a message is in
 * at least one window. Windows and times are whole milliseconds.
 */
import { Calendar } from './calendar.ts'
import { modulo } from './calendar-zone.ts'
import type { AlignedWindow, HoppingWindow, TumblingWindow, Window } from './window.ts'

/** Takes the windows of a message, one call each: an object that a step makes once. */
export interface WindowTarget {
  /** `endMs` is the first millisecond behind it, but belongs to sliding and session windows. */
  window(startMs: number, endMs: number): void
}

export interface WindowAssigner {
  /** Hands over the windows that hold `timeMs`, the earliest first. */
  assign(timeMs: number, target: WindowTarget): void
}

export const isAligned = (window: Window): window is AlignedWindow =>
  window.kind === 'tumbling' || window.kind === 'hopping' || window.kind === 'calendar'

/** One for a step and worker: that of a calendar keeps what it asked of the time zone. */
export function windowAssigner(window: AlignedWindow): WindowAssigner {
  switch (window.kind) {
    case 'tumbling':
      return new TumblingAssigner(window)
    case 'hopping':
      return new HoppingAssigner(window)
    case 'calendar':
      return new CalendarAssigner(new Calendar(window))
  }
}

class TumblingAssigner implements WindowAssigner {
  readonly #sizeMs: number
  readonly #offsetMs: number

  constructor({ sizeMs, offsetMs }: TumblingWindow) {
    this.#sizeMs = sizeMs
    this.#offsetMs = offsetMs
  }

  assign(timeMs: number, target: WindowTarget): void {
    const startMs = timeMs - modulo(timeMs - this.#offsetMs, this.#sizeMs)
    target.window(startMs, startMs + this.#sizeMs)
  }
}

class HoppingAssigner implements WindowAssigner {
  readonly #sizeMs: number
  readonly #everyMs: number
  readonly #offsetMs: number

  constructor({ sizeMs, everyMs, offsetMs }: HoppingWindow) {
    this.#sizeMs = sizeMs
    this.#everyMs = everyMs
    this.#offsetMs = offsetMs
  }

  assign(timeMs: number, target: WindowTarget): void {
    // The earliest start behind `timeMs - size`, so that its window still holds the message.
    const tooEarlyMs = timeMs - this.#sizeMs
    let startMs = tooEarlyMs + this.#everyMs - modulo(tooEarlyMs - this.#offsetMs, this.#everyMs)
    for (; startMs <= timeMs; startMs += this.#everyMs) {
      target.window(startMs, startMs + this.#sizeMs)
    }
  }
}

class CalendarAssigner implements WindowAssigner {
  readonly #calendar: Calendar

  constructor(calendar: Calendar) {
    this.#calendar = calendar
  }

  assign(timeMs: number, target: WindowTarget): void {
    this.#calendar.find(timeMs)
    target.window(this.#calendar.startMs, this.#calendar.endMs)
  }
}

/**
 * How much later than its end a window is closed: at a watermark of `endMs + closesAfterMs` or
 * more. To sliding and session windows their last millisecond still belongs, and a session waits
 * for one more message.
 */
export function closesAfterMs(window: Window): number {
  if (isAligned(window)) return window.latenessMs
  return window.latenessMs + 1 + (window.kind === 'session' ? window.gapMs : 0)
}
