/** Keeps an application's panels up to date from the topics that they are about. */
import type { Log } from '../log/log.ts'
import { PanelBoard } from '../panels/board.ts'
import type { Panels } from '../panels/panel.ts'
import type { Section } from '../panels/panel-view.ts'
import type { Codecs } from './codecs.ts'
import type { AnyTopic } from './definition.ts'
import { TopicFollower } from './follow.ts'

export class PanelsReader {
  readonly #board: PanelBoard
  readonly #followers: readonly TopicFollower[]

  constructor(log: Log, declared: readonly Panels[], codecs?: Codecs) {
    const board = new PanelBoard(declared)
    this.#board = board
    const topics = new Map(
      declared
        .flatMap(({ panels }) => panels.flatMap(({ topic }) => topic ?? []))
        .map((topic) => [topic.name, topic as AnyTopic]),
    )
    this.#followers = [...topics].map(([name, topic]) => {
      const follower = {
        take: (value: unknown, timeMs: number) => board.add(name, value, timeMs),
        miss: () => board.miss(name),
      }
      return new TopicFollower(log, topic, follower, codecs)
    })
  }

  /** Reads what came since the last call, or a part of it. True: there may be more. */
  async read(): Promise<boolean> {
    let more = false
    for (const follower of this.#followers) more = (await follower.read()) || more
    return more
  }

  sections(): readonly Section[] {
    return this.#board.view()
  }
}
