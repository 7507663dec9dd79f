/** A test tool: made-up panels of every kind, over messages of now and of twenty years ago. */
import type { Board, PanelView, Slice, TimeLineView } from '../src/server/state.ts'

const dayMs = 86_400_000
const scored = { topic: 'mails.scored', note: null, unreadable: 0 }
const judged = { topic: 'mails.judged', note: null, unreadable: 0 }

const domains = [
  'example.com',
  'lists.example.org',
  'mail.a-very-long-name-of-a-domain-that-nobody-types.example.net',
  'example.net',
  'news.example.com',
  'example.edu',
]

interface Second {
  readonly timeMs: number
  readonly mails: number
  readonly accuracy: number
}

export class FakeBoard {
  #seconds: Second[] = []
  #mails = 0
  #second = 0

  take(timeMs: number, mails: number, second: number): void {
    this.#mails += mails
    this.#second = second
    this.#seconds.push({ timeMs, mails, accuracy: 0.955 + 0.03 * Math.sin(second / 20) })
    this.#seconds = this.#seconds.slice(-150)
  }

  at(atMs: number): Board {
    const rest = [this.#sentiment(), this.#table(), ...this.#empty()]
    return {
      app: 'spam-filter',
      atMs,
      sections: [
        {
          title: 'Spam filter',
          panels: [this.#gauge(), this.#pie(), this.#now(), this.#history()],
        },
        { title: 'Where it comes from', panels: [this.#bars(), words, ...rest] },
      ],
    }
  }

  #gauge(): PanelView {
    const value = this.#seconds.at(-1)?.accuracy ?? null
    const note = 'of the mails whose truth came'
    const scale = { value, min: 0, max: 1, unit: 'share' } as const
    return { ...judged, ...scale, kind: 'gauge', title: 'Accuracy', note, messages: this.#mails }
  }

  #pie(): PanelView {
    const parts = { ham: 0.61, spam: 0.17 + 0.03 * Math.sin(this.#second / 7), list: 0.12 }
    const slices = this.#slices(Object.entries(parts))
    const others = Math.round(this.#mails * 0.05)
    const shown = { kind: 'pie', title: 'What came', slices, others, isApproximate: true } as const
    return { ...scored, ...shown, messages: this.#mails, unreadable: 12 }
  }

  #bars(): PanelView {
    const parts = domains.map((name, place) => [name, 0.4 / (place + 1)] as const)
    const slices = this.#slices(parts)
    const shown = { kind: 'bars', title: 'Senders', unit: 'count', isApproximate: false } as const
    return { ...scored, ...shown, slices, note: 'by domain', messages: this.#mails }
  }

  #sentiment(): PanelView {
    const slices = [
      { name: 'thanks', value: 0.62 },
      { name: 'meeting', value: 0.11 + 0.04 * Math.sin(this.#second) },
      { name: 'invoice', value: -0.284 },
    ]
    const shown = { kind: 'bars', title: 'Mood', unit: 'number', isApproximate: false } as const
    return { ...scored, ...shown, slices, note: 'mean of the words', messages: this.#mails }
  }

  /** Measures of different units, a point a second. */
  #now(): TimeLineView {
    const seconds = this.#seconds
    return {
      ...{ ...judged, kind: 'timeLine', title: 'As it came', everyMs: 1000 },
      messages: this.#mails,
      timesMs: seconds.map(({ timeMs }) => Math.floor(timeMs / 1000) * 1000),
      series: [
        { name: 'mails', unit: 'count', values: seconds.map(({ mails }) => mails) },
        { name: 'right', unit: 'share', values: seconds.map(({ accuracy }) => accuracy) },
      ],
    }
  }

  /** Weeks of 2002 with a summer without mails, and a class that is rare. */
  #history(): TimeLineView {
    const weeks = Array.from({ length: 60 }, (_, week) => week).filter(
      (week) => week < 24 || week > 31,
    )
    const shareOf = (week: number) => 0.2 + 0.1 * Math.sin(week / 6) + (week % 5) / 100
    const rare = (week: number) => (week % 9 === 4 ? 0.05 : null)
    return {
      ...{ ...judged, kind: 'timeLine', title: 'Share of spam', everyMs: 7 * dayMs },
      note: 'by the date of the mail',
      messages: this.#mails,
      timesMs: weeks.map((week) => Date.UTC(2002, 0, 3) + week * 7 * dayMs),
      series: [
        { name: 'spam', unit: 'share', values: weeks.map(shareOf) },
        { name: 'list', unit: 'share', values: weeks.map(rare) },
      ],
    }
  }

  #table(): PanelView {
    const rows = Array.from({ length: 8 }, (_, place) => {
      const number = this.#mails - place
      const subject = place === 2 ? 'You have won a prize: '.repeat(9) : 'Re: the meeting'
      const words = place % 3 === 0 ? null : 40 + ((number * 7) % 900)
      return [`mail-${number}`, subject, place === 2, words, 0.9 + (number % 97) / 1000]
    })
    const columns = ['id', 'subject', 'spam.isSpam', 'words', 'spam.score']
    const shown = { kind: 'table', title: 'Newest mails', columns, rows } as const
    return { ...scored, ...shown, messages: this.#mails }
  }

  /** What there is before anything came. */
  #empty(): PanelView[] {
    const nothing = { topic: 'complaints', note: null, messages: 0, unreadable: 0 }
    const line = { everyMs: 1000, timesMs: [], series: [] }
    return [
      {
        ...nothing,
        kind: 'gauge',
        title: 'Complaints',
        value: null,
        min: 0,
        max: 5,
        unit: 'number',
      },
      { ...nothing, kind: 'timeLine', title: 'Complaints over time', ...line },
    ]
  }

  #slices(parts: readonly (readonly [string, number])[]): Slice[] {
    return parts.map(([name, share]) => ({ name, value: Math.round(this.#mails * share) }))
  }
}

const words: PanelView = {
  kind: 'text',
  title: 'How to read this',
  note: null,
  paragraphs: [
    'The sender of a mail can be forged: what stands here is what the mail says of itself.',
    'Mails of lists are counted under the list, not under who wrote to it.',
  ],
}
