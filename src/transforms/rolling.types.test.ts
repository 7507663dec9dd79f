import { rolling } from './rolling.ts'

/** Compiles only where both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <Truth extends true>(truth?: Truth) => truth

export const amounts = rolling({
  payments: { kind: 'count', overMs: 5 },
  spent: { kind: 'sum', overMs: 5 },
  usual: { kind: 'mean', overMs: 50, delayMs: 5 },
  latest: { kind: 'last', overMs: 5 },
})
holds<
  Same<
    ReturnType<typeof amounts.result>,
    {
      readonly payments: number
      readonly spent: number
      readonly usual: number | null
      readonly latest: number | null
    }
  >
>()
export const places = rolling({ places: { kind: 'distinct', overMs: 5 } })
export const ok = () => [
  amounts.add(amounts.start(), 1.5, 0),
  amounts.add(amounts.start(), null, 0),
  places.add(places.start(), 'home', 0),
]
// @ts-expect-error a text cannot be summed
export const bad1 = () => amounts.add(amounts.start(), 'home', 0)
// @ts-expect-error there is no such kind
export const bad2 = () => rolling({ spent: { kind: 'total', overMs: 5 } })
// @ts-expect-error there is no such result
export const bad3 = () => places.result(places.start(), 0).spent
