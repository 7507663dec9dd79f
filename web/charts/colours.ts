/** Colours that stay with a name while ranks change. */
import { namedColours, restColour } from './theme.ts'

/**
 * A colour for each name: who had one keeps it, who is new gets one that is free, and who finds none
 * gets that of all others.
 */
export function coloursFor(
  before: ReadonlyMap<string, number>,
  names: readonly string[],
): ReadonlyMap<string, number> {
  const kept = new Map<string, number>()
  for (const name of names) {
    const colour = before.get(name)
    if (colour !== undefined && colour !== restColour) kept.set(name, colour)
  }
  const taken = new Set(kept.values())
  const free = namedColours.filter((colour) => !taken.has(colour))
  return new Map(names.map((name) => [name, kept.get(name) ?? free.shift() ?? restColour]))
}

/** By place, for names that keep theirs. */
export const colourAt = (place: number) => namedColours[place] ?? restColour
