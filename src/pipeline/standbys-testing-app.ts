/** The work of standbys.slow.test.ts, and its owner as a process: counts messages by key, with a copy elsewhere. */
import { pipeline } from './pipeline.ts'
import { topic } from './topic.ts'

const name = process.env.STANDBY_NAME ?? 'standby'

export interface Counted {
  readonly key: string
  readonly n: number
}

export const counting = pipeline(name, { standbys: 1 })
  .from(topic<{ readonly id: number }>(`${name}.in`))
  .keyBy()
  .process('count', {
    start: () => ({ n: 0 }),
    message: (state, _, { key }) => ({ key, n: ++state.n }),
  })
  .to(topic<Counted>(`${name}.out`))
