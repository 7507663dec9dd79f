/** Settings of topics as the cluster has them, remembered for a while. */
import { ConfigResourceTypes, describeConfigsV4 } from '@platformatic/kafka'
import type { Clock } from '../core/clock.ts'
import { answerError, withErrors } from './kafka-answer.ts'
import type { KafkaClient, KafkaTopic } from './kafka-client.ts'
import { codeIs } from './kafka-faults.ts'
import { describedConfigs, type SettingsRead, settingsOf } from './kafka-topic-settings.ts'

interface Remembered {
  /** Of the topic that was described: one made again under the same name has another. */
  readonly id: string
  readonly atMs: number
  readonly settings: Promise<SettingsRead | undefined>
}

type Answers = ReadonlyMap<string, SettingsRead>

/** Another process, or a person, may change a topic's configuration. */
const rememberedMs = 30_000

export class TopicDescriptions {
  readonly #client: KafkaClient
  readonly #clock: Clock
  readonly #remembered = new Map<string, Remembered>()

  constructor(client: KafkaClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  forget(name: string): void {
    this.#remembered.delete(name)
  }

  /** By name; a topic that is gone by now is left out. */
  async of(topics: readonly KafkaTopic[]): Promise<Map<string, SettingsRead>> {
    const atMs = this.#clock.now()
    const asked = topics.filter(({ name, id }) => {
      const known = this.#remembered.get(name)
      return known?.id !== id || atMs - known.atMs > rememberedMs
    })
    if (asked.length > 0) this.#ask(asked, atMs)
    const found = new Map<string, SettingsRead>()
    const waiting = topics.map(({ name }) => this.#remembered.get(name)?.settings)
    for (const [index, settings] of (await Promise.all(waiting)).entries()) {
      if (settings !== undefined) found.set(topics[index]!.name, settings)
    }
    return found
  }

  /** Those who ask while the answer is on its way wait for the same one. */
  #ask(topics: readonly KafkaTopic[], atMs: number): void {
    const answers = this.#describe(topics.map(({ name }) => name))
    for (const { name, id } of topics) {
      const settings = answers.then((found) => found.get(name))
      const remembered = { id, atMs, settings }
      this.#remembered.set(name, remembered)
      const forget = () => {
        if (this.#remembered.get(name) === remembered) this.#remembered.delete(name)
      }
      settings.then((found) => found ?? forget(), forget)
    }
  }

  /** Who is the controller is asked with it: the one that is known may be away. */
  async #lookAnew(name: string): Promise<void> {
    this.#client.forgetTopic(name)
    await this.#client.topic(name)
  }

  #describe(names: readonly string[]): Promise<Answers> {
    const where = `settings of topic ${names.join(', ')}`
    let tries = 0
    return this.#client.patiently(where, async () => {
      const resources = names.map((resourceName) => ({
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName,
        configurationKeys: [...describedConfigs],
      }))
      if (tries++ > 0) await this.#lookAnew(names[0]!)
      const node = await this.#client.controller()
      const { results } = await withErrors(
        this.#client.call(node, 'admin', describeConfigsV4.api, resources, false, false),
      )
      const answers = new Map<string, SettingsRead>()
      for (const { resourceName, errorCode, errorMessage, configs } of results) {
        if (codeIs(errorCode, 'UNKNOWN_TOPIC_OR_PARTITION')) continue
        // Who may read a topic need not be allowed to see its settings.
        const isHidden = codeIs(errorCode, 'TOPIC_AUTHORIZATION_FAILED')
        if (errorCode !== 0 && !isHidden) {
          throw answerError(errorCode, `settings of topic ${resourceName}`, errorMessage)
        }
        const settings = settingsOf(configs)
        answers.set(resourceName, isHidden ? { ...settings, areSettingsHidden: true } : settings)
      }
      return answers
    })
  }
}
