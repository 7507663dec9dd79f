/** A test tool: made-up figures of a spam filter that moves a little each second. */
import type {
  DeadLetterGroup,
  DeadLetterView,
  HistoryPoint,
  MessageView,
  PanelsPage,
  PipelineState,
  State,
  StepState,
} from '../src/server/state.ts'
import { pointOf } from './data/history.ts'
import { FakeBoard } from './fake-board.ts'
import { fakePartitions } from './fake-partitions.ts'
import { plans, topicsOf } from './fake-plan.ts'

const errors = [
  ['TypeError', "Cannot read properties of undefined (reading 'subject')"],
  ['VALUE_INVALID', 'the value is no JSON: Unexpected end of JSON input'],
] as const

export class FakeWorld {
  readonly startedAtMs: number
  readonly points: HistoryPoint[] = []
  readonly #board = new FakeBoard()
  #seconds = 0
  #mails = 0
  #empty = 0
  #spam = 0
  #letters: DeadLetterView[] = []
  #nowMs: number
  #rate = 0
  #state: State

  /** `seconds`: how long it has been running already. */
  constructor(seconds: number) {
    this.#nowMs = Date.now() - seconds * 1000
    this.startedAtMs = this.#nowMs
    this.#state = this.#makeState()
    for (let second = 0; second < seconds; second++) this.step()
  }

  get state(): State {
    return this.#state
  }

  get panels(): PanelsPage {
    return { boards: [this.#board.at(this.#nowMs)] }
  }

  /** One second more. */
  step(): void {
    const second = this.#seconds++
    this.#nowMs += 1000
    this.#rate = Math.round(1180 + 260 * Math.sin(second / 37) + 90 * Math.sin(second * 1.7))
    this.#mails += this.#rate
    this.#empty += second % 3
    this.#spam += Math.round(this.#rate * (0.22 + 0.12 * Math.sin(second / 140)))
    if (second % 25 === 5 && this.#letters.length < 18) this.#letters.unshift(this.#letter(second))
    this.#board.take(this.#nowMs, this.#rate, second)
    const before = this.#state
    this.#state = this.#makeState()
    this.points.push(pointOf(before, this.#state))
    if (this.points.length > 900) this.points.shift()
  }

  #letter(second: number): DeadLetterView {
    const [error, message] = errors[second % 50 === 5 ? 0 : 1]
    const value = error === 'TypeError' ? { id: `mail-${second}`, text: null } : null
    const raw = value === null ? Buffer.from([0x7b, 0x22, 0xff, 0xfe]) : JSON.stringify(value)
    return {
      pipeline: 'score',
      id: `mails:7f3a:0:${second}`,
      step: value === null ? 'read' : 'spam',
      error,
      message,
      tries: value === null ? 1 : 3,
      atMs: this.#nowMs,
      topic: 'mails',
      partition: second % 4,
      offset: second * 11,
      value,
      raw: Buffer.from(raw).toString('base64'),
    }
  }

  takeLetters(ids: readonly string[]): number {
    const before = this.#letters.length
    this.#letters = this.#letters.filter(({ id }) => !ids.includes(id))
    this.#state = this.#makeState()
    return before - this.#letters.length
  }

  groups(pipeline: string): DeadLetterGroup[] {
    if (pipeline !== 'score') return []
    return errors.flatMap(([error]) => {
      const letters = this.#letters.filter((letter) => letter.error === error)
      const [newest] = letters
      if (newest === undefined) return []
      const { step, atMs } = newest
      return [{ step, error, count: letters.length, newestAtMs: atMs, letters }]
    })
  }

  lettersOf(id: string): DeadLetterView[] {
    return this.#letters.filter((letter) => letter.id === id)
  }

  message(topic: string, offset: number): MessageView {
    const isSpam = offset % 4 === 1
    const value = {
      id: `mail-${offset}`,
      subject: isSpam ? 'You have won a prize, claim it now' : 'Re: the meeting on Thursday',
      date: new Date(this.#nowMs - offset * 10).toISOString(),
      ...(topic === 'mails' ? { text: 'words '.repeat(1 + (offset % 30)) } : {}),
      ...(topic.includes('.') ? { spam: { label: isSpam ? 'spam' : 'ham', score: 0.9731 } } : {}),
    }
    return {
      partition: offset % 4,
      offset,
      timeMs: this.#nowMs - ((this.#mails - offset) % 100_000),
      key: value.id,
      id: `mails:7f3a:0:${offset}`,
      version: offset,
      value,
      isCut: false,
      headers: { 'millrace.id': `mails:7f3a:0:${offset}` },
    }
  }

  get newestOffset(): number {
    return this.#mails
  }

  #makeState(): State {
    const mails = this.#mails
    const good = mails - this.#empty - this.#letters.length
    const counts = { mails, labels: mails, 'mails.scored': good, 'mails.judged': good }
    return {
      atMs: this.#nowMs,
      version: '0.1.0',
      about: 'spam-filter: made-up mails through a made-up model, for looking at the page',
      health: { isReady: true, reasons: [] },
      processes: [
        {
          id: 'p1',
          pid: 4711,
          startedAtMs: this.startedAtMs,
          seenAtMs: this.#nowMs,
          memoryBytes: 187e6 + 4e6 * Math.sin(this.#seconds / 9),
        },
      ],
      pipelines: plans.map((_, index) => this.#pipeline(index)),
      topics: topicsOf(counts, this.#rate),
      figures: {
        accuracy: 0.955 + 0.02 * Math.sin(this.#seconds / 200),
        majorityAccuracy: 0.834 - 0.03 * Math.sin(this.#seconds / 300),
        macroF1: 0.934,
        spamRecall: 0.91,
        falsePositiveRate: 0.008,
      },
    }
  }

  #pipeline(index: number): PipelineState {
    const plan = plans[index]!
    const dead = plan.name === 'score' ? this.#letters.length : 0
    const lagMessages = Math.max(0, Math.round(140 * Math.sin(this.#seconds / 30 + index)))
    const partitions = fakePartitions(plan, this.#mails, lagMessages)
    const p50 = 3.2 + index * 1.3 + Math.sin(this.#seconds / 11 + index)
    return {
      name: plan.name,
      plan,
      members: index === 2 ? 2 : 1,
      isPaused: false,
      lagMessages,
      lagSeconds: Math.max(0, ...partitions.map((one) => one.lagSeconds ?? 0)),
      partitions,
      rebalances: { generation: 12 + index, count: 3, lastAtMs: this.startedAtMs },
      messagesPerSecond: this.#rate * (plan.name === 'judge' ? 2 : 1),
      latencyMs: { p50, p99: p50 * (4 + Math.sin(this.#seconds / 5 + index)) },
      steps: this.#steps(index),
      isBalanced: true,
      imbalances: [],
      deadLetters: dead,
      waiting: plan.name === 'by-hour' ? ['restoring state of step counts, partition 2: 40 %'] : [],
      standby: plan.name === 'by-hour' ? { copies: 2, lag: 12 } : null,
    }
  }

  #steps(index: number): StepState[] {
    const { name, steps } = plans[index]!
    if (name === 'by-hour') return this.#windowed(this.#mails)
    const dead = this.#letters.filter(({ step }) => step === 'spam').length
    const unread = this.#letters.length - dead
    const lost = name === 'score' ? { unread, empty: this.#empty, dead } : {}
    const { unread: bad = 0, empty = 0, dead: failed = 0 } = lost as Record<string, number>
    const isJudge = name === 'judge'
    const total = isJudge ? this.#mails * 2 : this.#mails
    const rows = [this.#row('read', total, { deadLettered: bad })]
    for (const step of steps) {
      const count = rows.at(-1)!.emitted
      if (step.kind === 'filter') rows.push(this.#row(step.name, count, { filtered: empty }))
      else if (step.kind === 'predict') rows.push(this.#predict(step.name, count, failed))
      else if (step.kind === 'join') {
        const kept = { watermarkMs: null, behindMs: null, keys: 1204, sizeBytes: 264_118 }
        rows.push({ ...this.#row(step.name, count, { absorbed: count / 2 }), kept })
      } else rows.push(this.#row(step.name, count, {}))
    }
    return rows
  }

  /** A message leaves a change of key through a topic, and windows give one in a hundred. */
  #windowed(mails: number): StepState[] {
    const late = Math.floor(mails / 1000)
    const results = Math.floor(mails / 100)
    const key = { ...this.#row('counts-key', mails, {}), emitted: 0 }
    const kept = {
      watermarkMs: this.#nowMs - 95_000 - (this.#nowMs % 1000),
      ...{ behindMs: 95_250, keys: 48_211, sizeBytes: 7_340_032 },
    }
    const windows = {
      ...this.#row('counts', mails, { absorbed: mails - late }),
      ...{ entered: mails, passed: 0, late, emitted: results, kept },
    }
    const out = this.#row('to-mails.by-hour', results, {})
    return [this.#row('read', mails * 2, {}), key, windows, out]
  }

  #predict(name: string, count: number, deadLettered: number): StepState {
    const labels = { ham: count - deadLettered - this.#spam, spam: this.#spam }
    return {
      ...this.#row(name, count, { deadLettered }),
      labels,
      busySeconds: this.#seconds * 0.31,
    }
  }

  #row(name: string, count: number, lost: Partial<StepState>): StepState {
    const { filtered = 0, deadLettered = 0, absorbed = 0 } = lost
    const passed = count - filtered - deadLettered - absorbed
    return {
      name,
      in: count,
      emitted: passed,
      entered: 0,
      passed,
      filtered,
      duplicate: 0,
      absorbed,
      late: 0,
      deadLettered,
      expired: 0,
      inPerSecond: this.#rate,
      emittedPerSecond: this.#rate,
      labels: null,
      busySeconds: null,
      lookup: null,
      kept: null,
    }
  }
}
