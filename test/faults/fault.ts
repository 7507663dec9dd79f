/** What a fault of the suite is. */
import type { Broker } from '../../scripts/services/kafka.ts'
import type { Random } from '../../src/core/random.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly name: string
  /** How many brokers there have to be. */
  readonly brokers: number
  /** It comes before the first process does, and only then. */
  readonly isAtStart?: boolean
  /** Resolves once all is as before. */
  inflict(world: World, random: Random): Promise<Done>
}

export interface Done {
  /** What exactly was done, for people. */
  readonly words: string
  /** False: it did not come to that; it does not count. */
  readonly isDone: boolean
}

export const done = (words: string): Done => ({ words, isDone: true })
export const notDone = (words: string): Done => ({ words, isDone: false })

export const between = (random: Random, least: number, most: number) =>
  least + random() * (most - least)

export const oneOf = <Item>(items: readonly Item[], random: Random): Item =>
  items[Math.floor(random() * items.length)]!

export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

export const brokerOf = (world: World, random: Random): Broker =>
  oneOf(world.options.cluster.brokers, random)
