/** Which faults a schedule has: dealt so that in a set of schedules each fault has its turn often. */
import { type Random, seededRandom } from '../../src/core/random.ts'

/** Seeds of one set stand side by side; the first is divisible by this. */
export const setSize = 20
/** How many faults a schedule is dealt; more come where there is time. */
const handSize = 6

/** The same for the same seed and items, whichever other schedules are run. */
export function dealtTo<Item>(seed: number, items: readonly Item[]): Item[] {
  const random = seededRandom(Math.floor(seed / setSize))
  const each = Math.min(handSize, items.length)
  let deck: Item[] = []
  let hand: Item[] = []
  for (let turn = 0; turn <= seed % setSize; turn++) {
    hand = []
    while (hand.length < each) {
      if (deck.every((item) => hand.includes(item))) deck = [...deck, ...shuffled(items, random)]
      const index = deck.findIndex((item) => !hand.includes(item))
      hand.push(...deck.splice(index, 1))
    }
  }
  return hand
}

export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
