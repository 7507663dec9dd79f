/** Patience as long as something moves: how long a run takes says more of the machine than of the run. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Sight {
  readonly isOver: boolean
  /** Another one each time something has moved. */
  readonly place: string
}

const pollMs = 250

/** True: it is over. False: nothing moved for so long. */
export async function whileMoving(
  standingMs: number,
  look: () => Promise<Sight>,
): Promise<boolean> {
  let movedAtMs = Date.now()
  let last: string | undefined
  for (;;) {
    const { isOver, place } = await look()
    if (isOver) return true
    if (place !== last) movedAtMs = Date.now()
    else if (Date.now() - movedAtMs > standingMs) return false
    last = place
    await sleep(pollMs)
  }
}
