/** All panels of an application, filled from the topics that they are about. */
import { type Gatherer, gathererOf } from './gather.ts'
import type { Panels } from './panel.ts'
import type { Section } from './panel-view.ts'

export class PanelBoard {
  readonly #sections: readonly { readonly title: string; readonly gatherers: readonly Gatherer[] }[]
  readonly #byTopic = new Map<string, Gatherer[]>()

  constructor(declared: readonly Panels[]) {
    this.#sections = declared.map(({ title, panels }) => ({
      title,
      gatherers: panels.map(gathererOf),
    }))
    for (const gatherer of this.#sections.flatMap(({ gatherers }) => gatherers)) {
      if (gatherer.topic === undefined) continue
      const others = this.#byTopic.get(gatherer.topic)
      if (others === undefined) this.#byTopic.set(gatherer.topic, [gatherer])
      else others.push(gatherer)
    }
  }

  /** Takes in one value of a topic and the time of its message, milliseconds since 1970. */
  add(topic: string, value: unknown, timeMs: number): void {
    for (const gatherer of this.#byTopic.get(topic) ?? []) gatherer.add(value, timeMs)
  }

  /** A message of a topic that could not be read. */
  miss(topic: string): void {
    for (const gatherer of this.#byTopic.get(topic) ?? []) gatherer.miss()
  }

  view(): readonly Section[] {
    return this.#sections.map(({ title, gatherers }) => ({
      title,
      panels: gatherers.map((gatherer) => gatherer.view()),
    }))
  }
}
